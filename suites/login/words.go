package login

import (
	"strings"
	"sync"
	"unicode"
)

// meaning is what a button or a choice does to the client's request.
type meaning int

const (
	unknown meaning = iota
	approves
	denies
	proceeds // goes on without deciding anything: continue, next, sign in
	leaves   // leads elsewhere: register, forgotten password, back, log out, another language
)

// The words that buttons carry, without accents, in English, German, French, Spanish, Italian, Dutch and Portuguese.
var words = sync.OnceValue(func() map[string]meaning {
	all := map[string]meaning{}
	for m, list := range map[meaning]string{
		approves: `allow accept approve authorize authorise grant agree agreed confirm consent permit yes allowed approved authorized true accepted
			erlauben zulassen akzeptieren zustimmen autorisieren genehmigen bestatigen bewilligen einwilligen ja gewahren annehmen freigeben
			autoriser accepter approuver permettre confirmer oui consentir valider
			autorizar permitir aceptar aprobar conceder confirmar si autorizo acepto
			autorizza consenti accetta approva conferma
			toestaan accepteren goedkeuren bevestigen
			aceitar aprovar sim`,
		denies: `deny decline reject refuse cancel abort disallow block denied rejected refused disagree revoke false declined cancelled
			ablehnen abbrechen verweigern verbieten nein abbruch
			refuser annuler rejeter interdire
			denegar rechazar cancelar negar declinar
			rifiuta annulla nega
			weigeren annuleren afwijzen
			recusar rejeitar`,
		proceeds: `continue next proceed ok okay go login signin logon submit select choose use
			weiter fortfahren anmelden einloggen absenden auswahlen fortsetzen
			continuer suivant connecter connexion connecter poursuivre choisir
			continuar siguiente entrar acceder ingresar enviar seleccionar
			continua avanti accedi prosegui
			doorgaan volgende inloggen aanmelden
			avancar prosseguir seguinte`,
		leaves: `register signup forgot forgotten reset back logout signout language search retry help create recover resend
			registrieren vergessen zuruck abmelden sprache suchen hilfe konto
			inscrire inscription oublie retour deconnexion rechercher langue
			registrarse registrar olvidado olvidaste volver salir buscar idioma
			switch different another google facebook github apple microsoft linkedin twitter passkey webauthn`,
	} {
		for _, w := range strings.Fields(list) {
			all[w] = m
		}
	}
	return all
})

// negations turn the word that they stand before into its opposite, and deny when they come first.
var negations = map[string]bool{
	"no": true, "not": true, "don": true, "dont": true, "nicht": true, "kein": true, "keine": true, "ne": true, "non": true, "niet": true, "nee": true, "nao": true, "never": true,
}

var accents = strings.NewReplacer(
	"ä", "a", "á", "a", "à", "a", "â", "a", "ã", "a", "å", "a", "é", "e", "è", "e", "ê", "e", "ë", "e", "í", "i", "ì", "i", "î", "i", "ï", "i",
	"ö", "o", "ó", "o", "ò", "o", "ô", "o", "õ", "o", "ü", "u", "ú", "u", "ù", "u", "û", "u", "ñ", "n", "ç", "c", "ß", "ss")

// split breaks a text or an identifier ("user_oauthApproval") into lower-case words without accents.
func split(s string) []string {
	var spaced strings.Builder
	var last rune
	for _, r := range s {
		if unicode.IsUpper(r) && unicode.IsLower(last) {
			spaced.WriteByte(' ')
		}
		spaced.WriteRune(r)
		last = r
	}
	return strings.FieldsFunc(accents.Replace(strings.ToLower(spaced.String())), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
}

// meaningOf reads a text. Denial is stronger than approval ("No, do not allow"), approval than the rest.
func meaningOf(text string) meaning {
	found := map[meaning]bool{}
	list := split(text)
	for i, w := range list {
		if negations[w] {
			if i == 0 {
				return denies
			}
			for _, next := range list[i+1 : min(i+3, len(list))] {
				if words()[next] == approves {
					return denies
				}
			}
			continue
		}
		if (w == "log" || w == "sign") && i+1 < len(list) {
			switch list[i+1] {
			case "in", "on":
				found[proceeds] = true
			case "up", "out", "off":
				found[leaves] = true
			}
		}
		found[words()[w]] = true
	}
	for _, m := range []meaning{denies, leaves, approves, proceeds} {
		if found[m] {
			return m
		}
	}
	return unknown
}

// meaning of a button, from the text that people see, then its value, name and id.
func (c *Control) meaning() meaning {
	for _, s := range []string{c.Text, c.Value, c.Label, c.Name, c.ID} {
		if m := meaningOf(s); m != unknown {
			return m
		}
	}
	return unknown
}

// is reports whether a person who names a button by text, value, name or id means this one.
func (c *Control) is(name string) bool {
	for _, s := range []string{c.Text, c.Value, c.Name, c.ID, c.Label} {
		if s != "" && strings.EqualFold(collapse(s), collapse(name)) {
			return true
		}
	}
	return false
}

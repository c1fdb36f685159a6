package target

import (
	"encoding/json"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

func TestForeignJWT(t *testing.T) {
	as := newRun(t, Config{Target: "https://as.example"}).NewAS(t.Context(), "test", &judge{})
	for alg, want := range map[string]jose.SignatureAlgorithm{"RS256": jose.RS256, "ES256": jose.ES256, "PS512": jose.RS256, "ES512": jose.ES256, "": jose.RS256} {
		token := as.ForeignJWT(map[string]any{"alg": alg, "kid": "theirs", "typ": "at+jwt"}, map[string]any{"sub": "somebody", "exp": json.Number("4102444800")}, true)
		header, claims := JWTHeader(token), JWTClaims(token)
		if header["alg"] != string(want) || header["kid"] != "theirs" || header["typ"] != "at+jwt" {
			t.Errorf("%s: header %v", alg, header)
		}
		if claims["sub"] != "somebody" || claims["exp"] != json.Number("4102444800") {
			t.Errorf("%s: claims %v", alg, claims)
		}
		signed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{want})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := signed.Verify(signed.Signatures[0].Protected.JSONWebKey); err != nil {
			t.Errorf("%s: the signature does not fit the embedded key: %v", alg, err)
		}
	}
}

func TestExchangeTargets(t *testing.T) {
	for _, c := range []struct {
		config TokenExchangeConfig
		want   int // ways of naming targets that are tried
	}{
		{TokenExchangeConfig{}, 1},
		{TokenExchangeConfig{Audience: []string{"a"}}, 2},
		{TokenExchangeConfig{Audience: []string{"a"}, Resource: []string{"https://r.example"}}, 4},
	} {
		got := exchangeTargets(c.config)
		if len(got) != c.want || got[0] != [2]bool{len(c.config.Audience) > 0, len(c.config.Resource) > 0} || got[len(got)-1] != [2]bool{} {
			t.Errorf("%+v: %v", c.config, got)
		}
	}
}

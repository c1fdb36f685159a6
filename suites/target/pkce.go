package target

import "github.com/oauthcheck/oauthcheck/reports"

// The transformations of RFC 7636 section 4.2, by their registered names.
const (
	MethodS256  = "S256"
	MethodPlain = "plain"
)

// ChallengeTrial is how the target treats PKCE (RFC 7636) with one code_challenge_method, as an undisturbed client sees it.
type ChallengeTrial struct {
	Accepted bool   // the authorization request with a challenge yields a code
	Redeemed bool   // the code is redeemed with its code_verifier
	Checked  bool   // a code is not redeemed with another well-formed code_verifier
	Why      string // what kept the trial from going on, "" if nothing did
}

// Works reports whether challenges have an effect and right verifiers pass.
func (t ChallengeTrial) Works() bool { return t.Redeemed && t.Checked }

// challengeKey names a trial.
type challengeKey struct {
	client *Client
	method string
}

// challengeTrial is a trial with its evidence.
type challengeTrial struct {
	outcome   ChallengeTrial
	exchanges []*reports.Exchange
}

// ChallengeTrial tries a code_challenge_method with a client, once per run: a code with its right code_verifier of 64 letters and
// digits, and another code with a wrong one. What was sent becomes a control in the check's evidence.
func (as *AS) ChallengeTrial(client *Client, method string) ChallengeTrial {
	t := as.run.challenges.get(challengeKey{client, method}, func() (*challengeTrial, bool) {
		t := new(challengeTrial)
		maker := as.run.NewAS(as.run.ctx, "pkce-trial "+client.Name+" "+method+as.run.unique(), silent{})
		t.outcome.Why = attempt(func() { t.outcome.run(maker, client, method) })
		t.exchanges = maker.recorded
		return t, t.outcome.Works()
	})
	for _, x := range t.exchanges {
		control := *x
		control.Control = true
		as.record(&control)
	}
	return t.outcome
}

func (t *ChallengeTrial) run(as *AS, client *Client, method string) {
	code, verifier := as.challenged(client, method)
	t.Accepted = true
	t.Redeemed = as.Redeem(code, Set("code_verifier", verifier), NoControl()).IssuesToken()
	code, _ = as.challenged(client, method)
	t.Checked = !as.Redeem(code, Set("code_verifier", as.Verifier()), NoControl()).IssuesToken()
}

// challenged is a fresh code for a challenge by the method, with its verifier.
func (as *AS) challenged(client *Client, method string) (*Code, string) {
	verifier := as.Verifier()
	challenge := verifier
	if method == MethodS256 {
		challenge = S256(verifier)
	}
	return as.Code(As(client), Set("code_challenge", challenge), Set("code_challenge_method", method), NoControl()), verifier
}

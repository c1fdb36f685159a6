package mockprovider_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/oauthcheck/oauthcheck/mockprovider"
)

// ask is a token request of the ready-made client service. In a test this is the client under test.
func ask(idp *mockprovider.Provider) int {
	response, err := http.PostForm(idp.Endpoint(mockprovider.TokenEndpoint), url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"service"}, "client_secret": {"not-a-secret.service.0123456789abcdef"},
	})
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

// A request that waits at the provider while the test does something else: a race that always comes out the same way. In a test, use
// mockprovider.New(t), which closes the provider with the test.
func ExampleProvider_Hold() {
	idp, err := mockprovider.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer idp.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()

	held := idp.Hold(mockprovider.TokenEndpoint)
	answered := make(chan int)
	go func() { answered <- ask(idp) }()
	if err := held.Arrived(ctx); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("the request is at the provider; another one:", ask(idp))
	held.Release()
	fmt.Println("released:", <-answered)
	// Output:
	// the request is at the provider; another one: 200
	// released: 200
}

// Faults are ordered by name (docs/faults.md), here for the first two requests of a client.
func ExampleProvider_Deviate() {
	idp, err := mockprovider.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer idp.Close()

	if err := idp.Deviate("service-unavailable:client=service,times=2"); err != nil {
		fmt.Println(err)
	}
	fmt.Println(ask(idp), ask(idp), ask(idp))
	fmt.Println(idp.Requests()[0].Deviations)
	fmt.Println(idp.Deviate("service-unavailble"))
	// Output:
	// 503 503 200
	// [service-unavailable]
	// unknown deviation "service-unavailble"; did you mean service-unavailable?
}

// A login without a browser. In a test, Approve does the same and fails the test where Authorize has an error.
func ExampleProvider_Authorize() {
	idp, err := mockprovider.Start(mockprovider.Client("shop", "shop-secret", "https://shop.example/callback"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer idp.Close()

	// What the client sends the browser to …
	request := idp.Endpoint(mockprovider.AuthorizationEndpoint) + "?" + url.Values{"response_type": {"code"}, "client_id": {"shop"},
		"redirect_uri": {"https://shop.example/callback"}, "scope": {"openid email"}, "state": {"xyz"}}.Encode()
	// … and what the browser brings back, once alice has approved one of the scopes.
	callback, err := idp.Authorize(context.Background(), request, mockprovider.Decision{User: "alice", Scopes: []string{"openid"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("a code:", callback.Code != "", "state:", callback.State)
	fmt.Println(idp.Requests().To(mockprovider.AuthorizationEndpoint).Last().User, "decided")

	denied, err := idp.Authorize(context.Background(), request, mockprovider.Decision{User: "alice", Deny: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("denied:", denied.Error)
	// Output:
	// a code: true state: xyz
	// alice decided
	// denied: access_denied
}

// The next requests get the answers that the test gives, one after the other; then all is well again.
func ExampleProvider_Next() {
	idp, err := mockprovider.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer idp.Close()

	if err := idp.Next(mockprovider.TokenEndpoint, mockprovider.Status(503).Repeat(2), mockprovider.Error(400, "invalid_grant")); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ask(idp), ask(idp), ask(idp), ask(idp))
	// Output:
	// 503 503 400 200
}

// Requests are chosen by endpoint, client, grant, parameters; Nth counts those that fit.
func ExampleProvider_On() {
	idp, err := mockprovider.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer idp.Close()

	second := mockprovider.Match{Endpoint: mockprovider.TokenEndpoint, Client: "service", Grant: "client_credentials", Nth: 2}
	if err := idp.On(second, mockprovider.RetryAfter(time.Second)); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(ask(idp), ask(idp), ask(idp))
	for _, r := range idp.Requests().Refused() {
		fmt.Println(r.Endpoint, r.ClientID, r.Status, r.Error)
	}
	// Output:
	// 200 429 200
	// token service 429 temporarily_unavailable
}

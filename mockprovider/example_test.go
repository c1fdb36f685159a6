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

// Bareserver is what the mock is measured against: net/http with two fixed answers and nothing else.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	issuer := "http://" + listener.Addr().String()
	answer := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, body)
		}
	}
	http.Handle("/.well-known/oauth-authorization-server", answer(`{"issuer":"`+issuer+`"}`))
	http.Handle("/token", answer(`{"access_token":"TtqbK0vZm4hCjYb7dMXoT7XG1IGM9Zkq3dK1b6ZyYwE","token_type":"Bearer","expires_in":900,"scope":"read"}`))
	fmt.Printf(`{"issuer":%q,"endpoints":{"metadata":%q,"token":%q}}`+"\n", issuer, issuer+"/.well-known/oauth-authorization-server", issuer+"/token")
	log.Fatal(http.Serve(listener, nil))
}

// Command zitadel-oidc serves the op package of zitadel/oidc with the storage and the login page of the module's own
// example server. Usage: zitadel-oidc PORT
package main

import (
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
)

// users is the example's user file. Administrators may exchange tokens there.
const users = `{"joerg-id": {"ID": "joerg-id", "Username": "jörg", "Password": "wonder %&+£€ land", "FirstName": "Jörg", "LastName": "Example", "Email": "joerg@example.com", "EmailVerified": true, "IsAdmin": true},
"alice-id": {"ID": "alice-id", "Username": "alice", "Password": "wonderland", "FirstName": "Alice", "LastName": "Example", "Email": "alice@example.com", "EmailVerified": true, "IsAdmin": true}}`

func userStore() (storage.UserStore, error) {
	dir, err := os.MkdirTemp("", "oauthcheck-interop-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "users.json")
	if err := os.WriteFile(file, []byte(users), 0o600); err != nil {
		return nil, err
	}
	return storage.StoreFromFile(file)
}

func run(port string) error {
	issuer := "http://127.0.0.1:" + port
	store, err := userStore()
	if err != nil {
		return err
	}
	// The example storage adds the service user sid1 for client_credentials by itself.
	storage.RegisterClients(
		storage.WebClient("web-app", "web-app-secret-0123456789abcdef0123456789",
			"https://client.example/callback", "https://client.example/other", "https://client.example/query?tenant=one"),
		storage.WebClient("web-app-2", "web-app-2-secret-0123456789abcdef01234567", "https://second.example/callback"),
		storage.NativeClient("native-app", "https://native.example/callback", "http://127.0.0.1/callback"),
		storage.DeviceClient("device-app", "device-app-secret-0123456789abcdef012345"),
	)
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	router := exampleop.SetupServer(issuer, storage.NewStorage(store), logger, false)
	fmt.Println("listening on", issuer)
	return http.ListenAndServe("127.0.0.1:"+port, router)
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: zitadel-oidc PORT")
	}
	log.Fatal(run(os.Args[1]))
}

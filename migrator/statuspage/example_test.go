package statuspage_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/migrator"
	"github.com/pgcrossfade/crossfade/migrator/statuspage"
)

// The page in a server that is there already, below a path of its own.
func Example() {
	conn, err := pgx.ParseConfig(pgtest.Example(users))
	if err != nil {
		log.Fatal(err)
	}
	m, err := migrator.New(conn, migrator.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		log.Fatal(err)
	}
	if err := m.Init(context.Background(), migrator.InitOptions{}); err != nil {
		log.Fatal(err)
	}

	page, err := statuspage.New(m, statuspage.Config{})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = page.Run(ctx) }) // looks at the database until ctx is done
	defer running.Wait()
	defer stop()
	mux := http.NewServeMux()
	mux.Handle("/crossfade/", http.StripPrefix("/crossfade", page))

	server := httptest.NewServer(mux)
	defer server.Close()
	health := 0
	for health != http.StatusOK { // 503 before the first look
		response, err := server.Client().Get(server.URL + "/crossfade/healthz")
		if err != nil {
			log.Fatal(err)
		}
		health = response.StatusCode
		_ = response.Body.Close()
	}
	fmt.Println(health)
	// Output: 200
}

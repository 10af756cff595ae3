package postgres_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/signal"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/pgcrossfade/crossfade/internal/pgtest"
	"github.com/pgcrossfade/crossfade/internal/postgres"
)

func TestMain(m *testing.M) {
	if mode := os.Getenv(childMode); mode != "" {
		child(mode)
		return
	}
	pgtest.Main(m)
}

// childMode makes this test binary a program that starts a server, prints its
// URL, reads a line, and then ends in the way that the mode names.
const childMode = "CROSSFADE_TEST_CHILD"

func child(mode string) {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	server, err := postgres.Start(context.Background(), postgres.Config{Private: true})
	if err != nil {
		panic(err)
	}
	fmt.Println(server.URL(""))
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	switch mode {
	case "panic":
		panic("as asked")
	case "exit":
		os.Exit(0)
	case "interrupt":
		<-interrupts
		conn, err := pgx.Connect(context.Background(), server.URL(""))
		if err != nil {
			panic(err)
		}
		_ = conn.Close(context.Background())
		if err := server.Stop(); err != nil {
			panic(err)
		}
		fmt.Println("stopped in good order")
	}
}

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/pgcrossfade/crossfade/examples/internal/example"
)

// appEnv holds the settings of a process, as JSON. It is how the program
// knows that it is one of its own processes.
const appEnv = "CROSSFADE_EXAMPLE_RENAME"

// settings is what a process is told at its start.
type settings struct {
	URL string `json:"url"`
	// Index is the process's place among Apps.
	Index int `json:"index"`
	Apps  int `json:"apps"`
	Rows  int `json:"rows"`
	// Column is the name that the process's SQL has for the moving column.
	Column string `json:"column"`
	// Long is how long its long transactions take, at most.
	Long time.Duration `json:"long"`
	// Legacy makes it the process without the hook.
	Legacy bool `json:"legacy,omitempty"`
	// Pause prepares the process for a write that is held back, and NoTokens
	// takes the fence from everything it sends: see unsafe.go.
	Pause    bool `json:"pause"`
	NoTokens bool `json:"no_tokens"`
}

// appMain is the main function of a process. Its result is the exit status.
func appMain() int {
	signal.Ignore(os.Interrupt) // Ctrl-C goes to everybody; the program says when to end
	var s settings
	if err := json.Unmarshal([]byte(os.Getenv(appEnv)), &s); err != nil {
		fmt.Fprintln(os.Stderr, "read settings:", err)
		return example.ExitUsage
	}
	a := &app{settings: s, queries: newQueries(s.Column), tally: &tally{}, out: newSender(os.Stdout)}
	if s.Pause {
		a.gate = newGate(func(sql string) { a.out.send(message{Held: sql}) })
	}
	if err := a.serve(context.Background()); err != nil {
		fmt.Fprintf(os.Stderr, "app %d: %v\n", s.Index+1, err)
		return example.ExitFailed
	}
	return 0
}

// serve runs the traffic until it is told to stop.
func (a *app) serve(ctx context.Context) error {
	disconnect, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer disconnect()
	if err := a.db.PingContext(ctx); err != nil {
		return err
	}

	stop := make(chan struct{})
	workers := a.workers(stop)
	var running sync.WaitGroup
	for _, w := range workers {
		if w.mix != nil {
			running.Go(func() { w.run(ctx) })
		}
	}
	a.out.send(message{Ready: true})

	ticks := make(chan struct{})
	go a.tick(ticks)
	orders := map[order]func(){}
	if a.gate != nil {
		orders[orderHold] = func() { running.Go(func() { workers[heldWorker].holdBack(ctx) }) }
		orders[orderRelease] = a.gate.open
	}
	a.obey(orders)
	close(stop)
	running.Wait()
	close(ticks)

	for _, w := range workers {
		w.journal.report(a.out)
	}
	a.out.send(message{Totals: a.tally.read()})
	a.out.send(message{Done: true})
	return nil
}

// obey follows orders until it is told to stop. The end of the input ends the
// process: who started it is gone.
func (a *app) obey(orders map[order]func()) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if order(lines.Text()) == orderStop {
			return
		}
		if f := orders[order(lines.Text())]; f != nil {
			f()
		}
	}
	os.Exit(example.ExitFailed)
}

func (a *app) tick(end <-chan struct{}) {
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-end:
			return
		case <-ticker.C:
			a.out.send(message{Totals: a.tally.read()})
		}
	}
}

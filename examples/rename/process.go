package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// process is one process of the application, as the program sees it.
type process struct {
	settings settings
	command  *exec.Cmd
	input    io.WriteCloser
	ready    chan struct{}
	ended    chan struct{}
	held     chan string // the SQL that is being held back

	mu       sync.Mutex // guards what follows, until ended
	totals   totals
	complete bool // the journal has come to its end
	rows     []record
	counters []interval
	err      error
}

// startProcess runs this program again, as a process of the application.
// problem is told of errors and wrong reads.
func startProcess(s settings, problem func(string)) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	p := &process{
		settings: s, command: exec.Command(program),
		ready: make(chan struct{}), ended: make(chan struct{}), held: make(chan string, 1),
	}
	p.command.Env = append(os.Environ(), appEnv+"="+string(text))
	p.command.Stderr = os.Stderr
	// The process ends when this pipe does: also when this program is killed.
	if p.input, err = p.command.StdinPipe(); err != nil {
		return nil, err
	}
	output, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		err := p.listen(output, problem)
		err = errors.Join(err, p.command.Wait())
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.complete {
			err = errors.Join(err, errors.New("it left no journal"))
		}
		if err != nil {
			p.err = fmt.Errorf("app %d: %w", s.Index+1, err)
		}
	}()
	return p, nil
}

// listen takes messages until there are no more.
func (p *process) listen(output io.Reader, problem func(string)) error {
	decoder := json.NewDecoder(output)
	for {
		var m message
		if err := decoder.Decode(&m); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		switch {
		case m.Ready:
			close(p.ready)
		case m.Held != "":
			p.held <- m.Held
		case m.Problem != "":
			problem(m.Problem)
		}
		p.mu.Lock()
		switch {
		case m.Totals != nil:
			p.totals = *m.Totals
		case m.Row != nil:
			p.rows = append(p.rows, *m.Row)
		case m.Counter != nil:
			p.counters = append(p.counters, *m.Counter)
		case m.Done:
			p.complete = true
		}
		p.mu.Unlock()
	}
}

func (p *process) order(o order) error {
	_, err := fmt.Fprintln(p.input, o)
	return err
}

func (p *process) count() totals {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.totals
}

// failure is why the process ended before it was told to.
func (p *process) failure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// kill ends the process, whatever it does.
func (p *process) kill() {
	_ = p.input.Close()
	select {
	case <-p.ended:
	case <-time.After(2 * time.Second):
		_ = p.command.Process.Kill()
		<-p.ended
	}
}

// fleet is all processes of the application.
type fleet struct {
	mu        sync.Mutex // guards processes
	processes []*process
	problem   func(string)
}

func (f *fleet) all() []*process {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]*process(nil), f.processes...)
}

// start starts a process and waits until its traffic runs.
func (f *fleet) start(ctx context.Context, s settings) error {
	p, err := startProcess(s, f.problem)
	if err != nil {
		return fmt.Errorf("start app %d: %w", s.Index+1, err)
	}
	f.mu.Lock()
	f.processes = append(f.processes, p)
	f.mu.Unlock()
	select {
	case <-p.ready:
		return nil
	case <-p.ended:
		return p.failure()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stop lets all processes finish what they do and waits for their journals.
func (f *fleet) stop(ctx context.Context) error {
	var errs []error
	for _, p := range f.all() {
		_ = p.order(orderRelease) // whoever is still held back
		_ = p.order(orderStop)
	}
	for _, p := range f.all() {
		select {
		case <-p.ended:
			errs = append(errs, p.failure())
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return errors.Join(errs...)
}

func (f *fleet) kill() {
	for _, p := range f.all() {
		p.kill()
	}
}

// failure is why a process has ended early; nil when all run.
func (f *fleet) failure() error {
	for _, p := range f.all() {
		if err := p.failure(); err != nil {
			return err
		}
	}
	return nil
}

func (f *fleet) totals() totals {
	var sum totals
	for _, p := range f.all() {
		sum.add(p.count())
	}
	return sum
}

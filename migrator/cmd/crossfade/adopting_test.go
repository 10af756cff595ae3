package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/internal/pgtest"
)

// TestAdopting plays docs/adopting.md from its beginning to its end: its service is
// a module of its own that runs meanwhile. Nothing is downloaded: instead of go get
// there is a replace directive.
func TestAdopting(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	require.NoError(t, err)
	text, err := os.ReadFile(filepath.Join(root, "docs", "adopting.md"))
	require.NoError(t, err)
	s := &situation{shell: &shell{t: t, db: pgtest.New(t)}, blocks: blocksOf(string(text))}
	s.next("console") // the URL of the database

	s.db.Exec(t, s.next("sql"))
	require.Contains(t, s.next("console"), "$ go get github.com/pgcrossfade/crossfade\n$ go install")
	service := startService(t, root, s.next("go"), s.db.URL)
	require.Equal(t, "Ada Lovelace", service.get("1"))
	s.play()

	s.file = writeFile(t, "users-name.yaml", s.next("yaml"))
	s.play()
	service.put("1", "before")
	s.play()
	require.Equal(t, "before", service.get("1"))
	service.put("1", "complete")
	require.Equal(t, "complete", service.get("1"))
	s.play()
	service.put("2", "contracted")
	require.Equal(t, "contracted", service.get("2"))
	s.play()
	require.Empty(t, s.blocks)

	conn := s.db.Conn(t)
	var names []string
	require.NoError(t, conn.QueryRow(t.Context(), `select array_agg(name order by id) from users`).Scan(&names))
	require.Equal(t, []string{"complete", "contracted"}, names)
}

// service is the one of the page, as a process.
type service struct {
	t   *testing.T
	url string
}

func startService(t *testing.T, root, source, databaseURL string) service {
	t.Helper()
	dir := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "go", args...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOPROXY=off", "GOWORK=off")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "go %s\n%s", strings.Join(args, " "), out)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o600))
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o600))
	run("mod", "init", "example.com/shop")
	run("mod", "edit", "-require=github.com/pgcrossfade/crossfade@v0.0.0", "-replace=github.com/pgcrossfade/crossfade="+root)
	run("build", "-o", "shop", ".")
	run("vet", ".")

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := listener.Addr().String()
	require.NoError(t, listener.Close())
	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "shop"))
	cmd.Env = append(os.Environ(), "ADDR="+addr, "CROSSFADE_DATABASE_URL="+databaseURL)
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		http.DefaultClient.CloseIdleConnections()
	})
	pgtest.WaitFor(t, "the service", func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			err = conn.Close()
		}
		return err == nil
	})
	return service{t, "http://" + addr + "/users/"}
}

func (s service) get(id string) string { return s.do(http.MethodGet, id, "") }

func (s service) put(id, name string) { s.do(http.MethodPut, id, name) }

func (s service) do(method, id, body string) string {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.url+id, strings.NewReader(body))
	require.NoError(s.t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(s.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	require.Equal(s.t, http.StatusOK, response.StatusCode, string(text))
	return string(text)
}

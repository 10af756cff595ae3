//go:build unix

package postgres

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDownload has a Maven repository of its own, whose archive holds this
// machine's PostgreSQL in the layout of the real one. Debian's can be moved so:
// it finds its libraries from its programs, and the rest where it was.
func TestDownload(t *testing.T) {
	if testing.Short() {
		t.Skip("short: compiles the downloader and packs PostgreSQL")
	}
	account, err := serverAccount()
	require.NoError(t, err)
	binDir, err := findBinaries(t.Context(), Config{NoDownload: true}.withDefaults(), account)
	if err != nil {
		t.Skip(err)
	}
	if debian, _ := filepath.Match("/usr/lib/postgresql/*/bin", binDir); !debian {
		t.Skipf("only Debian's PostgreSQL can be packed for this test, not that in %s", binDir)
	}
	module, err := downloadModule()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "go", "-C", module, "mod", "download")
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("no modules for the downloader: %v: %s", err, out)
	}
	repository := newRepository(t, binDir)
	cache, err := os.MkdirTemp("/var/tmp", "crossfade-cache-")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(cache)) })
	require.NoError(t, os.Chmod(cache, 0o755))
	for _, name := range []string{"GOCACHE", "GOMODCACHE"} { // before they follow
		out, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
		require.NoError(t, err)
		t.Setenv(name, strings.TrimSpace(string(out)))
	}
	t.Setenv("XDG_CACHE_HOME", cache) // on Linux
	t.Setenv("HOME", cache)           // on macOS
	t.Setenv(EnvRepository, repository.URL)
	var log bytes.Buffer
	var dirs [2]string
	var errs [2]error
	var both sync.WaitGroup
	for i := range dirs {
		c := Config{}.withDefaults()
		if i == 0 {
			c.Log = &log
		}
		both.Go(func() { dirs[i], errs[i] = download(t.Context(), c, account) })
	}
	both.Wait()
	require.NoError(t, errs[0])
	require.NoError(t, errs[1])
	require.Equal(t, dirs[0], dirs[1])
	require.Contains(t, log.String(), "downloading PostgreSQL into "+cache)
	require.Equal(t, 1, repository.jars(), "the second download waits for the first")
	require.Contains(t, downloaded(), dirs[0])

	server, err := Start(t.Context(), Config{Private: true, BinDir: dirs[0]})
	require.NoError(t, err)
	require.NoError(t, server.Stop())
}

func TestDownloadIsRefused(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	t.Setenv(EnvNoDownload, "1")
	_, err := download(ctx, Config{}.withDefaults(), account{})
	require.ErrorContains(t, err, EnvNoDownload)
	t.Setenv(EnvNoDownload, "")
	t.Setenv("PATH", "")
	_, err = download(ctx, Config{}.withDefaults(), account{})
	require.ErrorContains(t, err, "the go command is missing")
}

// repository counts the archives it has served.
type repository struct {
	*httptest.Server
	mu     sync.Mutex // guards served
	served []string
}

func (r *repository) jars() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, name := range r.served {
		if path.Ext(name) == ".jar" {
			n++
		}
	}
	return n
}

func newRepository(t *testing.T, binDir string) *repository {
	t.Helper()
	jar := packJar(t, filepath.Dir(binDir))
	sum := sha256.Sum256(jar)
	r := &repository{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		r.mu.Lock()
		r.served = append(r.served, request.URL.Path)
		r.mu.Unlock()
		switch {
		case !strings.HasPrefix(request.URL.Path, "/io/zonky/test/postgres/embedded-postgres-binaries-"):
			http.NotFound(w, request)
		case strings.HasSuffix(request.URL.Path, ".sha256"):
			_, _ = w.Write([]byte(hex.EncodeToString(sum[:])))
		default:
			_, _ = w.Write(jar)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// packJar makes an archive as Maven has it: a zip with a .txz inside.
func packJar(t *testing.T, home string) []byte {
	t.Helper()
	var plain bytes.Buffer
	archive := tar.NewWriter(&plain)
	files := []string{"bin/initdb", "bin/pg_ctl", "bin/postgres"}
	libraries, err := filepath.Glob(filepath.Join(home, "lib", "*.so"))
	require.NoError(t, err)
	for _, library := range libraries {
		files = append(files, "lib/"+filepath.Base(library))
	}
	for _, name := range files {
		content, err := os.ReadFile(filepath.Join(home, name))
		require.NoError(t, err)
		header := &tar.Header{Name: name, Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg}
		require.NoError(t, archive.WriteHeader(header))
		_, err = archive.Write(content)
		require.NoError(t, err)
	}
	require.NoError(t, archive.Close())

	compress := exec.CommandContext(t.Context(), "xz", "-0", "-c")
	compress.Stdin = &plain
	packed, err := compress.Output()
	if err != nil {
		t.Skipf("no xz to pack an archive: %v", err)
	}
	var jar bytes.Buffer
	outer := zip.NewWriter(&jar)
	file, err := outer.Create("postgres.txz")
	require.NoError(t, err)
	_, err = file.Write(packed)
	require.NoError(t, err)
	require.NoError(t, outer.Close())
	return jar.Bytes()
}

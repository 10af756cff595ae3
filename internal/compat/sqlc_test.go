package compat

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// envSqlc makes the tests build sqlc, which takes minutes the first time.
const envSqlc = "CROSSFADE_SQLC"

// TestSqlcIsGenerated: go generate would change nothing.
func TestSqlcIsGenerated(t *testing.T) {
	if os.Getenv(envSqlc) == "" {
		t.Skipf("building sqlc takes minutes and much that this module does not need: set %s=1", envSqlc)
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", "github.com/sqlc-dev/sqlc/cmd/sqlc@v1.31.1", "diff")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // with its parser in WebAssembly
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
}

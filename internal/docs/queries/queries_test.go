package queries

import (
	"encoding/json"
	"log/slog"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
)

// TestAlerts does what promtool check rules does.
func TestAlerts(t *testing.T) {
	text, err := os.ReadFile("../../../docs/dashboard/alerts.yaml")
	require.NoError(t, err)
	groups, errs := rulefmt.Parse(text, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	require.Empty(t, errs)
	require.NotEmpty(t, groups.Groups)
	for _, group := range groups.Groups {
		for _, rule := range group.Rules {
			expr, err := parser.NewParser(parser.Options{}).ParseExpr(rule.Expr)
			require.NoError(t, err, rule.Alert)
			require.Equal(t, parser.ValueTypeVector, expr.Type(), rule.Alert)
		}
	}
}

// TestPanels: with Grafana's variables filled in, each query is one.
func TestPanels(t *testing.T) {
	text, err := os.ReadFile("../../../docs/dashboard/crossfade.json")
	require.NoError(t, err)
	var file struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal(text, &file))
	require.NotEmpty(t, file.Panels)
	variables := strings.NewReplacer("$__rate_interval", "5m", "$transition", "users-name")
	for _, panel := range file.Panels {
		for _, target := range panel.Targets {
			_, err := parser.NewParser(parser.Options{}).ParseExpr(variables.Replace(target.Expr))
			require.NoError(t, err, "%s: %s", panel.Title, target.Expr)
		}
	}
}

package compat

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/pgcrossfade/crossfade/dualwrite"
)

const sectionModes = "Modes of pgx: `default_query_exec_mode`"

// modes are the ways of pgx to send a statement.
var modes = []subject{
	inMode("cache_statement", pgx.QueryExecModeCacheStatement),
	inMode("cache_describe", pgx.QueryExecModeCacheDescribe),
	inMode("describe_exec", pgx.QueryExecModeDescribeExec),
	inMode("simple_protocol", pgx.QueryExecModeSimpleProtocol),
	{sectionModes, "exec", "", modeExec},
}

func inMode(name string, mode pgx.QueryExecMode) subject {
	return subject{sectionModes, name, "", func(t *testing.T) outcome {
		j := newJourney(t, "")
		j.run(pgxShop{j.pool(func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode })})
		return outcome{works, ""}
	}}
}

func modeExec(t *testing.T) outcome {
	j := newJourney(t, "")
	config, err := pgxpool.ParseConfig(j.URL + "&default_query_exec_mode=exec")
	require.NoError(t, err)
	_, err = j.hook.NewPool(t.Context(), config)
	require.ErrorIs(t, err, dualwrite.ErrExecMode)
	_, err = j.hook.OpenDB(*config.ConnConfig)
	require.ErrorIs(t, err, dualwrite.ErrExecMode)
	return refused(err)
}

// refused gives the reason as the application gets it.
func refused(err error) outcome { return outcome{notSupported, "`" + err.Error() + "`"} }

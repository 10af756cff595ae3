package rewrite

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestExpandMacros(t *testing.T) {
	for sql, want := range map[string]string{
		"select 1": "select 1",
		"select a from t where a = @a and b = @b or a = @a::text":      "select a from t where a = $1 and b = $2 or a = $1::text",
		"select sqlc.arg(a), sqlc.narg('a'), sqlc.slice(b), @a":        "select $1, $1, $2, $1",
		"select sqlc.embed(t), sqlc.embed('u') from t join u using(i)": "select t.*, u.* from t join u using(i)",
		"select a=@a and b>=@b or c||@a <> ''":                         "select a=$1 and b>=$2 or c||$1 <> ''",
		"select a <@b, a @@b, a<@b":                                    "select a <@b, a @@b, a<@b",
		"select $2 + @a":                                               "select $2 + $3",
		"select @ a, a @> b, '@a', \"@a\", a@b":                        "select @ a, a @> b, '@a', \"@a\", a$1",
		"-- name: X :one @a\nselect @a":                                "-- name: X :one @a\nselect $1",
		"select sqlc.arg(a":                                            "select sqlc.arg(a",
		"select sqlc.other(a)":                                         "select sqlc.other(a)",
	} {
		require.Equal(t, want, ExpandMacros(sql))
	}
}

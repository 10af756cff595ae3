package rewrite

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEndsTransaction(t *testing.T) {
	for text, want := range map[string][2]bool{
		`commit`:                                 {true, false},
		` /* a */ Rollback to savepoint x ; -- `: {true, false},
		`select 1; END;`:                         {true, false},
		`abort; select 1`:                        {true, true},
		`prepare transaction 'x'`:                {true, false},
		`commit; begin; commit`:                  {true, true},
		``:                                       {false, false},
		`release x`:                              {false, false},
		`begin; select 1`:                        {false, false},
		`select case when a then b end from t`:   {false, false},
		`committed`:                              {false, false},
	} {
		ends, goesOn := EndsTransaction(text)
		require.Equal(t, want, [2]bool{ends, goesOn}, text)
	}
}

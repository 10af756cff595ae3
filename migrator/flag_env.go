package migrator

import (
	"context"
	"fmt"
	"os"
	"strings"
)

// EnvFlags is a Source that reads environment variables: the flag of users-name is
// CROSSFADE_FLAG_USERS_NAME. They stay what they are until the program starts anew.
type EnvFlags struct{}

// Variant reads a variable; an empty one is none.
func (EnvFlags) Variant(_ context.Context, key string) (Answer, error) {
	name := EnvFlag(key)
	value := os.Getenv(name)
	if value == "" {
		return Answer{}, fmt.Errorf("%s is not set: %w", name, ErrNoFlag)
	}
	return Answer{Value: value, Reason: "STATIC", Provider: "env"}, nil
}

// Changed returns nil: the environment of a program does not change.
func (EnvFlags) Changed() <-chan struct{} { return nil }

// EnvFlag is the environment variable of a flag.
func EnvFlag(key string) string {
	name := strings.TrimPrefix(key, FlagKey(""))
	return "CROSSFADE_FLAG_" + strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
			return r
		}
		return '_'
	}, name)
}

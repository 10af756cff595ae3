package migrator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"go.yaml.in/yaml/v3"
)

// FileFlags is a Source that reads a YAML or JSON file of flags and their values,
// such as "crossfade.users-name: live". The file is read at each look, so a change
// is seen at the next one. A file that is not there, or not wholly right, is an
// error for all of its flags: nothing moves then. Replace it by a rename, so that
// nobody reads a half.
type FileFlags struct {
	Path string
}

// Variant reads the file.
func (f FileFlags) Variant(_ context.Context, key string) (Answer, error) {
	flags, err := f.read()
	if err != nil {
		return Answer{}, err
	}
	value, ok := flags[key]
	if !ok {
		return Answer{}, fmt.Errorf("%s: %w", f.Path, ErrNoFlag)
	}
	return Answer{Value: value, Reason: "STATIC", Provider: "file"}, nil
}

// Changed returns nil: a file is looked at.
func (f FileFlags) Changed() <-chan struct{} { return nil }

func (f FileFlags) read() (map[string]string, error) {
	text, err := os.ReadFile(f.Path)
	if err != nil {
		return nil, err
	}
	var flags map[string]string
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	switch err := decoder.Decode(&flags); {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("%s: the file is empty", f.Path)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: one document holds all flags, this one goes on after it", f.Path)
	}
	for key := range flags {
		if !strings.HasPrefix(key, FlagKey("")) {
			return nil, fmt.Errorf("%s: key %q does not begin with %q", f.Path, key, FlagKey(""))
		}
	}
	return flags, nil
}

package preflight

import (
	"fmt"
	"regexp"
	"strings"
)

// renameColumn stands in for rewrite.RenameColumn until that exists.
func renameColumn(definition, from, to string) (string, error) {
	at := strings.Index(definition, " USING ")
	if at < 0 {
		return "", fmt.Errorf("read definition of index: %s", definition)
	}
	word := regexp.MustCompile(`\b` + regexp.QuoteMeta(from) + `\b`)
	return definition[:at] + word.ReplaceAllString(definition[at:], to), nil
}

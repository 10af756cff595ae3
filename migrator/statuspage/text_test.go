package statuspage_test

import "strings"

func contains(body, text string) bool { return strings.Contains(body, text) }

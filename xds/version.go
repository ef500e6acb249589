package xds

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
)

// base is the part of a version that names the content: what follows a '#' only tells one sending of it from another.
func base(version string) string {
	before, _, _ := strings.Cut(version, "#")
	return before
}

// attempted is the version of a content under an attempt.
func attempted(revision, attempt string) string {
	if attempt == "" {
		return revision
	}
	return revision + "#" + attempt
}

// fingerprint is the version of a set of resources: a hash over name and version of each.
func fingerprint(versions map[string]string) string {
	lines := make([]string, 0, len(versions))
	for name, version := range versions {
		lines = append(lines, name+"\x00"+version+"\n")
	}
	slices.Sort(lines)
	h := sha256.New()
	for _, line := range lines {
		h.Write([]byte(line))
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

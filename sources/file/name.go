package file

import "strings"

// isDocument tells whether a file of a folder is read, by its name. Editors and tools leave other files beside those that
// people write; they are hidden (.melon.yaml.swp, .#melon.yaml, .melon.yaml.XXXX) or end in something of their own
// (melon.yaml~, melon.yaml.tmp, #melon.yaml#, 4913), and none of them is a document.
func isDocument(name string) bool {
	if name == "" || strings.ContainsAny(name[:1], ".#~") {
		return false
	}
	for _, ending := range []string{".yaml", ".yml", ".json"} {
		if len(name) > len(ending) && strings.EqualFold(name[len(name)-len(ending):], ending) {
			return true
		}
	}
	return false
}

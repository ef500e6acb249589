package snapshot

import (
	"testing"

	graftv1alpha1 "github.com/graft-xds/graft/proto/graft/v1alpha1"
)

// A folder that is not there yet when graft starts again (a mount that is late) takes nothing out of force.
func TestParseKeepsWhatAFolderHeld(t *testing.T) {
	held := func(file, name string) Document {
		return Document{Origin: Origin{File: file}, Key: Key{Kind: kindFilter, Namespace: "default", Name: name}, Filter: &graftv1alpha1.Filter{
			Metadata: &graftv1alpha1.ObjectMeta{Name: name},
			Spec:     &graftv1alpha1.FilterSpec{Implementation: &graftv1alpha1.FilterSpec_Lua{Lua: &graftv1alpha1.Lua{Source: &graftv1alpha1.Lua_Code{Code: "function envoy_on_request(h) end"}}}},
		}}
	}
	last := []Document{held("conf/a.yaml", "a"), held("conf/sub/b.yaml", "b"), held("other/c.yaml", "c"), held("d.yaml", "d")}
	for folder, want := range map[string]string{"conf": "a", "other": "c", ".": "d", "conf/a.yaml": "a"} {
		config, _ := Parse(nil, []Broken{{Problem: Problem{Origin: Origin{File: folder}, What: "no such file or folder"}}}, last)
		if len(config.Filters) != 1 || config.Filters[0].Key.Name != want {
			t.Errorf("%s: %d filters, want %s alone", folder, len(config.Filters), want)
		}
	}
}

package clients

import (
	"fmt"
	"strings"
)

// edge is a Proxy document with two listeners and two clusters. No proxy opens the ports.
const edge = `
apiVersion: graft.dev/v1alpha1
kind: Proxy
metadata: {name: edge}
spec:
  nodes: {cluster: edge}
  listeners:
  - name: web
    address: 127.0.0.1:10000
    routes: [{name: app, prefix: /, cluster: app}]
  - name: more
    address: 127.0.0.1:10001
    routes: [{name: other, prefix: /, cluster: other}]
  clusters:
  - {name: app, endpoints: ["127.0.0.1:9001"]}
  - {name: other, endpoints: ["127.0.0.1:9002"]}
`

// without gives edge without the listener and the cluster that are called "more" and "other".
func without(document string) string {
	at := strings.Index(document, "  - name: more")
	document = document[:at] + document[strings.Index(document, "  clusters:"):]
	return document[:strings.Index(document, "  - {name: other")]
}

// moved gives edge with other endpoints of the cluster "app".
func moved(document string) string {
	return strings.ReplaceAll(document, "127.0.0.1:9001", "127.0.0.1:9101")
}

// script is a filter that does nothing, with a comment that a test finds again in what a client got.
func script(name, comment string) string {
	return fmt.Sprintf(`
apiVersion: graft.dev/v1alpha1
kind: Filter
metadata: {name: %s}
spec:
  lua: {code: "function envoy_on_request() end -- %s"}
  targets: [{listeners: [web, more]}]
`, name, comment)
}

// documents are edge and a filter in its slots, graft/web and graft/more.
func documents() map[string]string {
	return map[string]string{"edge.yaml": edge, "f.yaml": script("f", "first")}
}

// same gives edge as it is.
func same(document string) string { return document }

// renamed gives edge with the listener "web" on another port.
func renamed(document string) string {
	return strings.ReplaceAll(document, "127.0.0.1:10000", "127.0.0.1:10002")
}

package main

import (
	_ "embed"
	"fmt"
	"net"
	"slices"
	"strings"
	"text/template"

	"github.com/spf13/cobra"
)

// bootstrapTemplate is an Envoy bootstrap with edge defaults. It is text, for its comments' sake.
//
//go:embed bootstrap.yaml.tmpl
var bootstrapTemplate string

// systemRoots is where Debian, Ubuntu, Alpine and Envoy's own images have the certificates of the system. Envoy itself does
// not look for them: it verifies nothing without a file.
const systemRoots = "/etc/ssl/certs/ca-certificates.crt"

// bootstrapOptions are the flags of `graft bootstrap`.
type bootstrapOptions struct {
	XDS, NodeID, NodeCluster, Admin string
	Slots                           string
	Labels                          map[string]string
	TLS                             bool
	CA, Cert, Key, ServerName       string
}

func newBootstrap() *cobra.Command {
	var o bootstrapOptions
	cmd := &cobra.Command{
		Use:   "bootstrap",
		Short: "Print an Envoy bootstrap that points at graft",
		Example: `  graft bootstrap --node-id edge-1 --node-cluster edge > envoy.yaml
  envoy -c envoy.yaml`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := o.render()
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write([]byte(text))
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.XDS, "xds", "127.0.0.1:18000", "address of graft's xDS server")
	f.StringVar(&o.NodeID, "node-id", "envoy", "id of the node, unique for each Envoy")
	f.StringVar(&o.NodeCluster, "node-cluster", "envoy", "cluster of the node: what Envoys of one kind have in common")
	f.StringToStringVar(&o.Labels, "label", nil, "label of the node, key=value; repeatable")
	f.StringVar(&o.Slots, "slots", "chain", "chain, or declared: one filter a slot, as proxies without envoy.filters.http.filter_chain have it")
	f.StringVar(&o.Admin, "admin", "127.0.0.1:9901", "address of Envoy's own admin interface")
	f.BoolVar(&o.TLS, "tls", false, "speak TLS with graft")
	f.StringVar(&o.CA, "tls-ca", "", "PEM certificates to verify graft with (implies --tls; default: "+systemRoots+")")
	f.StringVar(&o.Cert, "tls-cert", "", "PEM certificate that Envoy shows to graft (implies --tls)")
	f.StringVar(&o.Key, "tls-key", "", "its PEM private key")
	f.StringVar(&o.ServerName, "tls-server-name", "", "the name that graft's certificate carries (default: the host of --xds; implies --tls)")
	completeValues(cmd, "slots", "chain", "declared")
	return cmd
}

func (o bootstrapOptions) render() (string, error) {
	for _, one := range []struct{ name, addr string }{{"xds", o.XDS}, {"admin", o.Admin}} {
		if err := checkAddress(one.addr); err != nil {
			return "", usageError("write host:port, for example 127.0.0.1:18000", "--%s %q: %w", one.name, one.addr, err)
		}
		if host := hostOf(one.addr); host == "" || (one.name == "admin" && net.ParseIP(host) == nil) {
			return "", usageError("write host:port, for example 127.0.0.1:18000", "--%s %q: Envoy needs an address before the port", one.name, one.addr)
		}
	}
	for _, one := range []struct{ name, value string }{{"id", o.NodeID}, {"cluster", o.NodeCluster}} {
		if one.value == "" {
			return "", usageError("leave it out for the default", "--node-%s is empty, and Envoy does not start without", one.name)
		}
	}
	if o.Slots != "chain" && o.Slots != "declared" {
		return "", usageError("chain or declared", "--slots %q is not known", o.Slots)
	}
	if (o.Cert == "") != (o.Key == "") {
		return "", usageError("give both or neither", "--tls-cert and --tls-key belong together")
	}
	t, err := template.New("bootstrap").Funcs(template.FuncMap{"quote": quoteYAML, "host": hostOf, "port": portOf}).
		Parse(bootstrapTemplate)
	if err != nil {
		return "", fmt.Errorf("bootstrap: %w", err)
	}
	o.TLS = o.TLS || o.CA != "" || o.Cert != "" || o.ServerName != ""
	if o.CA == "" {
		o.CA = systemRoots
	}
	host, _, _ := net.SplitHostPort(o.XDS)
	if o.ServerName == "" {
		o.ServerName = host
	}
	keys := make([]string, 0, len(o.Labels))
	for key := range o.Labels {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	var out strings.Builder
	err = t.Execute(&out, struct {
		bootstrapOptions
		LabelKeys  []string
		DNS, IPSAN bool
	}{o, keys, net.ParseIP(host) == nil, net.ParseIP(o.ServerName) != nil})
	if err != nil {
		return "", fmt.Errorf("bootstrap: %w", err)
	}
	return out.String(), nil
}

// quoteYAML writes s as a double-quoted YAML scalar, which is JSON's.
func quoteYAML(s string) string { return fmt.Sprintf("%q", s) }

func hostOf(addr string) string { host, _, _ := net.SplitHostPort(addr); return host }
func portOf(addr string) string { _, port, _ := net.SplitHostPort(addr); return port }

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// Settings are the values of `graft serve`. They are read once, at the start; what may change later is configuration.
type Settings struct {
	Config           []string
	StateDir         string
	XDS              string
	Modules          string
	ModulesAdvertise string
	Admin            string
	TLSCert          string
	TLSKey           string
	TLSClientCA      string
	InlineLimit      int64
	LogLevel         string
	LogFormat        string
	Grace            time.Duration
}

// defineSettings gives each setting its flag, default and explanation. A setting can also come from the variable
// GRAFT_<NAME> and from the settings file; a flag wins over a variable, a variable over the file.
func defineSettings(flags *pflag.FlagSet) {
	flags.StringArray("config", nil, "file or folder with Filter and Proxy documents, watched; repeatable (GRAFT_CONFIG: a list as in PATH)")
	flags.String("state-dir", defaultStateDir(), "where graft keeps modules and what proxies refused")
	flags.String("xds", "127.0.0.1:18000", "address of the xDS server")
	flags.String("modules", "127.0.0.1:18001", "address of the module server")
	flags.String("modules-advertise", "", "host:port at which proxies reach the module server (default: the address of --modules)")
	flags.String("admin", "127.0.0.1:18002", "address of the admin server: /status, /metrics, /healthz, /readyz")
	flags.String("tls-cert", "", "PEM certificate of the xDS server; read again when it changes")
	flags.String("tls-key", "", "PEM private key of the xDS server")
	flags.String("tls-client-ca", "", "PEM certificates: proxies must show a certificate that one of them signed")
	flags.Int64("inline-limit", 256<<10, "bytes of a module up to which delivery auto sends it inline")
	flags.String("log-level", "info", "debug, info, warn or error")
	flags.String("log-format", "console", "console or json")
	flags.Duration("grace", 5*time.Second, "how long a stop waits for streams to end")
}

// settingsFlag is not a setting itself.
const settingsFlag = "settings"

// readSettings merges flags, variables and the settings file.
func readSettings(flags *pflag.FlagSet) (*viper.Viper, Settings, error) {
	v := viper.New()
	v.SetEnvPrefix("GRAFT")
	v.SetEnvKeyReplacer(strings.NewReplacer("-", "_"))
	v.AutomaticEnv()
	if err := v.BindPFlags(flags); err != nil {
		return nil, Settings{}, fmt.Errorf("settings: %w", err)
	}
	if err := readSettingsFile(v, flags); err != nil {
		return nil, Settings{}, err
	}
	if err := adopt(v, flags); err != nil {
		return nil, Settings{}, err
	}
	s := settingsOf(flags)
	return v, s, s.check()
}

// adopt gives each flag that was not given the value of its variable or of the settings file, by the flag's own parser: what
// is no duration is an error wherever it was written.
func adopt(v *viper.Viper, flags *pflag.FlagSet) error {
	var failed error
	flags.VisitAll(func(f *pflag.Flag) {
		from := origin(v, f)
		if from == "flag" || from == "default" || f.Name == settingsFlag || failed != nil {
			return
		}
		var err error
		switch list, ok := f.Value.(pflag.SliceValue); {
		case ok && from == variable(f):
			err = list.Replace(filepath.SplitList(v.GetString(f.Name)))
		case ok:
			err = list.Replace(v.GetStringSlice(f.Name))
		default:
			err = f.Value.Set(v.GetString(f.Name))
		}
		if err != nil {
			failed = &failure{code: exitInvalid, err: fmt.Errorf("%s: %s %q: %w", from, f.Name, v.GetString(f.Name), err)}
		}
	})
	return failed
}

func settingsOf(flags *pflag.FlagSet) (s Settings) {
	// The names and types are those of defineSettings, so none of these can fail.
	s.Config, _ = flags.GetStringArray("config")
	for name, into := range map[string]*string{
		"state-dir": &s.StateDir, "xds": &s.XDS, "modules": &s.Modules, "modules-advertise": &s.ModulesAdvertise, "admin": &s.Admin,
		"tls-cert": &s.TLSCert, "tls-key": &s.TLSKey, "tls-client-ca": &s.TLSClientCA,
		"log-level": &s.LogLevel, "log-format": &s.LogFormat,
	} {
		*into, _ = flags.GetString(name)
	}
	s.InlineLimit, _ = flags.GetInt64("inline-limit")
	s.Grace, _ = flags.GetDuration("grace")
	return s
}

// readSettingsFile reads the file that --settings or GRAFT_SETTINGS names, which must be there, or the user's, which need
// not. A key that is no setting is an error: a misspelt one would be ignored otherwise.
func readSettingsFile(v *viper.Viper, flags *pflag.FlagSet) error {
	path, named := v.GetString(settingsFlag), true
	if path == "" {
		path, named = userSettings(), false
	}
	if path == "" {
		return nil
	}
	v.SetConfigFile(path)
	err := v.ReadInConfig()
	if !named && errors.Is(err, fs.ErrNotExist) {
		v.SetConfigFile("")
		return nil
	}
	if err != nil {
		return &failure{code: exitInvalid, err: fmt.Errorf("settings file %s: %w", path, err)}
	}
	file := viper.New()
	file.SetConfigFile(path)
	if err := file.ReadInConfig(); err != nil {
		return &failure{code: exitInvalid, err: fmt.Errorf("settings file %s: %w", path, err)}
	}
	for _, key := range file.AllKeys() {
		if flags.Lookup(key) == nil || key == settingsFlag {
			return &failure{
				code: exitInvalid, err: fmt.Errorf("settings file %s: unknown setting %q", path, key),
				hint: "graft settings prints all of them",
			}
		}
	}
	return nil
}

// userSettings is where the user's settings file would be; empty for one without a home.
func userSettings() string {
	dir, err := os.UserConfigDir()
	if err != nil {
		return ""
	}
	return filepath.Join(dir, "graft", "settings.yaml")
}

// check refuses values that cannot be meant.
func (s Settings) check() error {
	for _, one := range []struct{ name, value string }{{"xds", s.XDS}, {"modules", s.Modules}, {"admin", s.Admin}} {
		if err := checkAddress(one.value); err != nil {
			return usageError("write host:port, for example 127.0.0.1:18000", "--%s %q: %w", one.name, one.value, err)
		}
	}
	if (s.TLSCert == "") != (s.TLSKey == "") {
		return usageError("give both or neither", "--tls-cert and --tls-key belong together")
	}
	if s.TLSClientCA != "" && s.TLSCert == "" {
		return usageError("give --tls-cert and --tls-key too", "--tls-client-ca needs a server certificate")
	}
	if s.InlineLimit < 0 || s.Grace < 0 {
		return usageError("give 0 or more", "--inline-limit and --grace cannot be negative")
	}
	if s.LogFormat != "console" && s.LogFormat != "json" {
		return usageError("console or json", "--log-format %q is not known", s.LogFormat)
	}
	return nil
}

// defaultStateDir is the user's state folder.
func defaultStateDir() string {
	if dir := os.Getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "graft")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return filepath.Join(os.TempDir(), "graft")
	}
	return filepath.Join(home, ".local", "state", "graft")
}

func newSettings() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "settings",
		Short: "Print the settings of serve, and where each comes from",
		Long: `Print the settings of serve, and where each comes from: a flag, a GRAFT_* variable, the settings file
(--settings, GRAFT_SETTINGS, or graft/settings.yaml in the user's configuration folder), or the default.`,
		Args: noArgs,
	}
	defineSettings(cmd.Flags())
	cmd.Flags().String(settingsFlag, "", "settings file")
	completeValues(cmd, "log-level", "debug", "info", "warn", "error")
	completeValues(cmd, "log-format", "console", "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		v, _, err := readSettings(cmd.Flags())
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "SETTING\tVALUE\tFROM")
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Name == settingsFlag || f.Name == "help" {
				return
			}
			fmt.Fprintf(w, "%s\t%s\t%s\n", f.Name, settingValue(f), origin(v, f))
		})
		return w.Flush()
	}
	return cmd
}

func settingValue(f *pflag.Flag) string {
	if list, ok := f.Value.(pflag.SliceValue); ok {
		return strings.Join(list.GetSlice(), ", ")
	}
	return f.Value.String()
}

func variable(f *pflag.Flag) string {
	return "GRAFT_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
}

// origin says where the value of a setting comes from.
func origin(v *viper.Viper, f *pflag.Flag) string {
	switch {
	case f.Changed:
		return "flag"
	case os.Getenv(variable(f)) != "":
		return variable(f)
	case v.InConfig(f.Name):
		return v.ConfigFileUsed()
	}
	return "default"
}

package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// completeValues tells shells what a flag may be set to.
func completeValues(cmd *cobra.Command, flag string, values ...string) {
	// It fails only for a flag that is not there, which the tests of completion would see.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

func newCompletion() *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:       "completion SHELL",
		Short:     "Print the completion script of a shell: bash, zsh, fish or powershell",
		Example:   "  source <(graft completion bash)",
		ValidArgs: shells,
		Args:      wantArgs("a shell: bash, zsh, fish or powershell"),
		RunE: func(cmd *cobra.Command, args []string) error {
			root, out := cmd.Root(), cmd.OutOrStdout()
			var err error
			switch args[0] {
			case "bash":
				err = root.GenBashCompletionV2(out, true)
			case "zsh":
				err = root.GenZshCompletion(out)
			case "fish":
				err = root.GenFishCompletion(out, true)
			case "powershell":
				err = root.GenPowerShellCompletionWithDesc(out)
			default:
				return usageError("one of bash, zsh, fish and powershell", "no completion for shell %q", args[0])
			}
			if err != nil {
				return fmt.Errorf("completion: %w", err)
			}
			return nil
		},
	}
}

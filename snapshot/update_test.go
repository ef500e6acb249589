package snapshot

import "flag"

// update rewrites golden and generated files: go test ./snapshot -update.
var update = flag.Bool("update", false, "rewrite golden and generated files")

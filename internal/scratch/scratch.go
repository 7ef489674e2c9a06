// Package scratch makes folders for a process's temporary files. What a process that
// was killed has left behind, the next one removes.
package scratch

import (
	"fmt"
	"os"
	"strings"
)

// most is how many folders are made before one is claimed: another process may take
// one that is not claimed yet for one that was left behind.
const most = 10

// Make makes a folder in dir, "" for the system's, whose name is prefix and digits, and
// returns what removes it. Before that it removes the folders of such a name that
// processes of the same user have left behind.
func Make(dir, prefix string) (folder string, remove func(), err error) {
	if dir == "" {
		dir = os.TempDir()
	}
	sweep(dir, prefix)
	for range most {
		if folder, err = os.MkdirTemp(dir, prefix); err != nil {
			return "", nil, err
		}
		release, err := claim(folder)
		if err != nil {
			os.RemoveAll(folder)
			return "", nil, fmt.Errorf("claiming a temporary folder: %w", err)
		}
		if release != nil {
			return folder, func() { os.RemoveAll(folder); release() }, nil
		}
	}
	return "", nil, fmt.Errorf("%d temporary folders in %s were removed as soon as they were made", most, dir)
}

// isName reports whether Make may have made a name.
func isName(name, prefix string) bool {
	number, ok := strings.CutPrefix(name, prefix)
	return ok && number != "" && strings.Trim(number, "0123456789") == ""
}

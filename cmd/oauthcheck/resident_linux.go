package main

import (
	"bufio"
	"bytes"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// releaseStartup hands back the pages of the executable that are mapped so far: the start of the program touches most of them (every package is
// initialised, those of the harness too), a server needs about half. They are clean copies of the file, so what is needed again
// is mapped again, from the page cache. Nothing depends on it, so errors do not matter.
func releaseStartup() {
	executable, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	mappings, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		return
	}
	var begin, end uint64
	ours := false
	for lines := bufio.NewScanner(bytes.NewReader(mappings)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) >= 5 && !strings.HasSuffix(fields[0], ":"): // begin-end permissions offset device inode path
			first, last, _ := strings.Cut(fields[0], "-")
			begin, err = strconv.ParseUint(first, 16, 64)
			if err == nil {
				end, err = strconv.ParseUint(last, 16, 64)
			}
			ours = err == nil && len(fields) == 6 && fields[5] == executable && strings.HasPrefix(fields[1], "r") && fields[1][1] != 'w'
		case ours && fields[0] == "Anonymous:" && fields[1] == "0": // nothing in it was changed, by relocation or a debugger
			_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, uintptr(begin), uintptr(end-begin), syscall.MADV_DONTNEED)
		}
	}
}

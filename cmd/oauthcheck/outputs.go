package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/oauthcheck/oauthcheck/reports"
)

// output is a report file that was asked for.
type output struct {
	flag   string
	format string
	path   string // "-" is the standard output
	write  func(io.Writer, *reports.Report) error
}

// checkOutputs refuses places that cannot be written before the run is made.
func checkOutputs(outputs []*output) error {
	places := map[string]string{}
	var errs []error
	for _, o := range outputs {
		if o.path == "" {
			continue
		}
		if other, taken := places[filepath.Clean(o.path)]; taken {
			errs = append(errs, fmt.Errorf("--%s and --%s both write to %s", other, o.flag, o.path))
			continue
		}
		places[filepath.Clean(o.path)] = o.flag
		if o.path == "-" {
			continue
		}
		if err := checkWritable(o.path); err != nil {
			errs = append(errs, fmt.Errorf("--%s: %w", o.flag, withoutOp(err)))
		}
	}
	return errors.Join(errs...)
}

func checkWritable(path string) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("%s is a directory; name a file", path)
	case err == nil:
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return f.Close()
	}
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return fmt.Errorf("the directory %s does not exist", dir)
	}
	probe, err := os.CreateTemp(dir, ".oauthcheck-*")
	if err != nil {
		return fmt.Errorf("cannot write to the directory %s: %w", dir, withoutOp(err))
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// writeOutputs writes all report files; one that fails does not keep the others from being written.
func writeOutputs(outputs []*output, stdout io.Writer, r *reports.Report) error {
	var errs []error
	for _, o := range outputs {
		if o.path == "" {
			continue
		}
		if err := o.save(stdout, r); err != nil {
			errs = append(errs, fmt.Errorf("--%s: %w", o.flag, err))
		}
	}
	return errors.Join(errs...)
}

// save writes a regular file through a temporary one, so that a reader never sees half a report.
func (o *output) save(stdout io.Writer, r *reports.Report) error {
	if o.path == "-" {
		return o.write(stdout, r)
	}
	if info, err := os.Stat(o.path); err == nil && !info.Mode().IsRegular() { // a device, a pipe
		f, err := os.OpenFile(o.path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(o.write(f, r), f.Close())
	}
	f, err := os.CreateTemp(filepath.Dir(o.path), ".oauthcheck-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails after the rename, as it should
	if err := errors.Join(o.write(f, r), f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), o.path)
}

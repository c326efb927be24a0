package sqlitedb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/lashstore/lashstore"
)

// What the first bytes of a database are: https://sqlite.org/fileformat2.html.
const (
	headerMagic  = "SQLite format 3\x00"
	headerPage   = 16 // two bytes: the size of a page, 1 for 65536
	writeVersion = 18
	readVersion  = 19
	walVersion   = 2
	smallestPage = 512
)

// checkFile looks at the file before SQLite does, which takes an empty one for a database to be made, and deletes the log
// beside it. No database is ever empty here, nor shorter than a page: such a file is cut.
func checkFile(path string) error {
	stat, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case stat.IsDir():
		return fmt.Errorf("%w: it is a directory", lashstore.ErrNotADatabase)
	case !stat.Mode().IsRegular():
		return fmt.Errorf("%w: it is no regular file", lashstore.ErrNotADatabase)
	case stat.Size() == 0:
		return cutError(path, "it is empty")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil //nolint:nilerr // whoever opens it for SQLite meets the same
	}
	defer f.Close()
	header := make([]byte, readVersion+1)
	n, err := io.ReadFull(f, header)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	header = header[:n]
	if !bytes.HasPrefix(header, []byte(headerMagic)[:min(n, len(headerMagic))]) {
		return nil // SQLite says what it is not
	}
	if page := headerPageSize(header); stat.Size() < page {
		return cutError(path, fmt.Sprintf("it ends after %d bytes, inside its first page", stat.Size()))
	}
	return nil
}

func headerPageSize(header []byte) int64 {
	if len(header) < headerPage+2 {
		return smallestPage
	}
	if page := int64(binary.BigEndian.Uint16(header[headerPage:])); page != 1 {
		return page
	}
	return 65536
}

func cutError(path, reason string) error {
	return &lashstore.CorruptError{What: "database", Key: filepath.Base(path), Reason: reason}
}

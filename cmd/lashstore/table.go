package main

import (
	"io"
	"strings"
)

// table is written when it is whole, so that its columns line up: texts to the left, numbers to the right.
type table struct {
	w     io.Writer
	texts int // the first columns; the others are numbers
	rows  [][]string
}

func newTable(w io.Writer, texts, numbers []string) *table {
	t := &table{w: w, texts: len(texts)}
	t.row(append(append([]string{}, texts...), numbers...)...)
	return t
}

func (t *table) row(cells ...string) {
	for i, cell := range cells {
		cells[i] = oneLine(cell)
	}
	t.rows = append(t.rows, cells)
}

const tableGap = "  "

// columns are the widths of the columns.
func (t *table) columns() []int {
	columns := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, cell := range row {
			columns[i] = max(columns[i], width(cell))
		}
	}
	return columns
}

// fit shortens the cells of a column, in its way and to so many columns of the terminal at least, until a row takes no
// more than most.
func (t *table) fit(column, least, most int, shorten func(string, int) string) {
	columns := t.columns()
	total := len(tableGap) * (len(columns) - 1)
	for _, n := range columns {
		total += n
	}
	if total <= most {
		return
	}
	room := max(columns[column]-(total-most), least)
	for _, row := range t.rows {
		row[column] = shorten(row[column], room)
	}
}

func (t *table) flush() error {
	columns := t.columns()
	for _, row := range t.rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = pad(cell, columns[i], i >= t.texts)
		}
		line := strings.TrimRight(strings.Join(cells, tableGap), " ")
		if _, err := io.WriteString(t.w, line+"\n"); err != nil {
			return errOutput{err}
		}
	}
	return nil
}

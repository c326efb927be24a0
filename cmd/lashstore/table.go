package main

import (
	"io"
	"slices"
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

// concession is how a column gives way where there is too little room.
type concession struct {
	column  string
	least   int
	shorten func(string, int) string
}

// concede fits the table in order: the first gives way first. Columns that are not there have nothing to give.
func (t *table) concede(most int, order ...concession) {
	for _, c := range order {
		if i := slices.Index(t.rows[0], c.column); i >= 0 {
			t.fit(i, c.least, most, c.shorten)
		}
	}
}

// dropEmpty takes out the columns that say nothing, their heads aside.
func (t *table) dropEmpty() {
	for i := len(t.rows[0]) - 1; i >= 0; i-- {
		if slices.ContainsFunc(t.rows[1:], func(row []string) bool { return row[i] != "" }) {
			continue
		}
		for n, row := range t.rows {
			t.rows[n] = slices.Delete(row, i, i+1)
		}
		if i < t.texts {
			t.texts--
		}
	}
}

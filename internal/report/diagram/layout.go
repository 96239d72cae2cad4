package diagram

import (
	"cmp"
	"slices"
)

// place is where a node stands: its column from the left, and its place in it, in boxes below the middle.
type place struct {
	column int
	place  float64
}

// edge is a line from a node to one further right, through a place in each column between.
type edge struct {
	from, to int
	bends    []float64 // places in the columns between
	bow      float64   // how far it bows down, in boxes: apart from others between the same neighbours
}

// layered places nodes in columns (Sugiyama's method): a node is a column right of the last that it reads; edges over
// several columns pass through places of their own; the order in a column follows the middle of what is left and right.
// boxes is how many the longest column has room for.
func layered(nodes []Node) (at []place, edges []edge, columns int, boxes float64) {
	at = make([]place, len(nodes))
	for i, v := range nodes {
		for _, k := range v.In {
			at[i].column = max(at[i].column, at[k].column+1)
		}
		columns = max(columns, at[i].column+1)
	}
	// An item is a node, or the place of an edge in a column that it passes.
	type item struct {
		column      int
		left, right []int
		place       float64
	}
	items := make([]item, len(nodes))
	for i := range nodes {
		items[i].column = at[i].column
	}
	link := func(a, b int) {
		items[a].right = append(items[a].right, b)
		items[b].left = append(items[b].left, a)
	}
	via := map[int][]int{} // of an edge: its places
	for i, v := range nodes {
		for _, k := range v.In {
			e := len(edges)
			edges = append(edges, edge{from: k, to: i})
			last := k
			for r := at[k].column + 1; r < at[i].column; r++ {
				items = append(items, item{column: r})
				link(last, len(items)-1)
				last = len(items) - 1
				via[e] = append(via[e], last)
			}
			link(last, i)
		}
	}
	order := make([][]int, columns)
	for i, it := range items {
		order[it.column] = append(order[it.column], i)
	}
	middle := func(i int, of []int) float64 {
		if len(of) == 0 {
			return items[i].place
		}
		sum := 0.0
		for _, k := range of {
			sum += items[k].place
		}
		return sum / float64(len(of))
	}
	spread := func(column []int) {
		for p, i := range column {
			items[i].place = float64(p) - float64(len(column)-1)/2
		}
	}
	for _, column := range order {
		spread(column)
	}
	const sweeps = 12
	for s := range sweeps {
		for r := range order {
			if s%2 == 1 {
				r = len(order) - 1 - r
			}
			column := order[r]
			slices.SortStableFunc(column, func(a, b int) int {
				if s%2 == 0 {
					return cmp.Compare(middle(a, items[a].left), middle(b, items[b].left))
				}
				return cmp.Compare(middle(a, items[a].right), middle(b, items[b].right))
			})
			spread(column)
		}
	}
	for i := range nodes {
		at[i].place = items[i].place
		boxes = max(boxes, 2*abs(items[i].place)+1)
	}
	for e := range edges {
		for _, k := range via[e] {
			edges[e].bends = append(edges[e].bends, items[k].place)
			boxes = max(boxes, 2*abs(items[k].place)+0.4)
		}
	}
	bow(edges)
	return at, edges, columns, boxes
}

// bow bows the edges between two neighbours apart where there are several, as of a node that is added to itself. Longer ones
// pass through places of their own.
func bow(edges []edge) {
	alike := func(a, b edge) bool { return a.from == b.from && a.to == b.to && len(a.bends)+len(b.bends) == 0 }
	for i, e := range edges {
		before, all := 0, 0
		for k, other := range edges {
			if alike(e, other) {
				all++
				if k < i {
					before++
				}
			}
		}
		if all > 1 {
			edges[i].bow = 0.4 * (float64(before) - float64(all-1)/2)
		}
	}
}

func abs(x float64) float64 { return max(x, -x) }

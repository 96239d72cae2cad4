package data

import "math"

// An outline is the signed distance, roughly, from a point to the border of a
// shape: negative inside. Near the border it grows by one per unit, which is all
// that anti-aliasing needs. Products are rounded explicitly, see shapes10.go.
type outline func(x, y float64) float64

// outlines draws the classes at an area near 1, so that the area, too, tells
// little about the class. Outlines are centred; y points down.
var outlines = []outline{disc, ring, square, triangle, star, cross, crescent, heart, bar, arrow}

// length returns the Euclidean norm. Sqrt is correctly rounded everywhere.
func length(x, y float64) float64 { return math.Sqrt(float64(x*x) + float64(y*y)) }

// dot returns the inner product of (x,y) and (u,v).
func dot(x, y, u, v float64) float64 { return float64(x*u) + float64(y*v) }

// box is an axis-parallel rectangle of half sizes (u,v).
func box(x, y, u, v float64) float64 { return max(math.Abs(x)-u, math.Abs(y)-v) }

func disc(x, y float64) float64 { return length(x, y) - 0.56 }

func ring(x, y float64) float64 { return math.Abs(length(x, y)-0.56) - 0.15 }

func square(x, y float64) float64 { return box(x, y, 0.5, 0.5) }

// triangle is equilateral: inside all of three half-planes.
func triangle(x, y float64) float64 {
	const s = 0.8660254037844386 // sin 60 deg
	return max(y, dot(math.Abs(x), y, s, -0.5)) - 0.42
}

// star is a pentagram: outside at most one of the five half-planes that bound
// its inner pentagon.
func star(x, y float64) float64 {
	const (
		s1, c1 = 0.9510565162951535, 0.30901699437494745 // 72 deg
		s2, c2 = 0.5877852522924731, -0.8090169943749475 // 144 deg
	)
	first, second := math.Inf(-1), math.Inf(-1)
	for _, d := range [5]float64{y, dot(x, y, s1, c1), dot(x, y, -s1, c1), dot(x, y, s2, c2), dot(x, y, -s2, c2)} {
		if d > first {
			first, second = d, first
		} else if d > second {
			second = d
		}
	}
	return second - 0.29
}

func cross(x, y float64) float64 { return min(box(x, y, 0.68, 0.2), box(x, y, 0.2, 0.68)) }

// crescent is a disc less a shifted one.
func crescent(x, y float64) float64 {
	return max(length(x+0.1, y)-0.66, 0.56-length(x-0.26, y))
}

// heart is a square on its tip and two discs on its upper sides.
func heart(x, y float64) float64 {
	x, y = math.Abs(x), y+0.08
	const s = 0.7071067811865476
	return min(box(dot(x, y, s, s), dot(x, y, -s, s), 0.37, 0.37), length(x-0.26, y+0.26)-0.37)
}

func bar(x, y float64) float64 { return box(x, y, 0.85, 0.22) }

// arrow is a shaft under a triangle.
func arrow(x, y float64) float64 {
	const s = 0.7071067811865476
	head := max(y, dot(math.Abs(x), y+0.72, s, -s))
	return min(head, box(x, y-0.3, 0.17, 0.42))
}

package cuda

// Room counts the memory that an Engine takes for plans, without one. The zero value is
// that of an engine that has loaded none.
type Room struct {
	Arena  int // bytes for what the plans compute
	Tables int // bytes for their arguments
	slots  []int
}

// Load counts a plan that is loaded when those before it are released.
func (r *Room) Load(p *Plan) {
	if p.Arena > r.Arena {
		r.Arena = arenaSize(p.Arena)
	}
	for _, n := range r.slots {
		if n >= p.Table() {
			return
		}
	}
	r.slots = append(r.slots, tableSize(p.Table()))
	r.Tables += tableSize(p.Table())
}

// Hold counts a plan that is loaded and never released.
func (r *Room) Hold(p *Plan) {
	r.Load(p)
	r.slots = nil
}

// arenaSize is how large the arena is made for a plan that needs n bytes: the next one
// may need a little more.
func arenaSize(n int) int { return aligned(n + n/8) }

// tableSize is likewise the room for a table of n bytes.
func tableSize(n int) int { return max(64<<10, aligned(n+n/4)) }

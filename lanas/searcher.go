package lanas

// Searcher is LaNAS. Its linear models are ridge regressions in closed form,
// where the paper descends a gradient: the same objective, without a learning
// rate to get wrong, and a pure function of the samples.
type Searcher struct {
	history
	cfg    Config
	ones   [][]int32 // of the samples' codes
	packed []packed  // the samples' codes
	scores []float64
	belief belief // learnt from the first learnt samples
	learnt int
	epoch  *epoch // of the samples so far, or nil
}

var _ Search = (*Searcher)(nil)

// New returns a search of s that knows nothing yet.
func New(s Space, c Config) (*Searcher, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	h, err := newHistory(s, c.Seed)
	if err != nil {
		return nil, err
	}
	return &Searcher{history: h, cfg: c}, nil
}

// Ask proposes an architecture; see Search.
func (s *Searcher) Ask() ([]byte, error) {
	p, err := s.Propose()
	return p.Code, err
}

// Propose is Ask with the proposal's origin.
func (s *Searcher) Propose() (Proposal, error) {
	r := s.stream()
	var p Proposal
	var err error
	if len(s.samples) == 0 || s.asked() < s.cfg.Init {
		p.Source = FromWarmup
		p.Code, err = s.uniform(r)
	} else {
		e := s.current()
		if s.cfg.Model {
			p = s.model(e, r)
		}
		if p.Code == nil {
			p, err = s.draw(e.descend(s.cfg.Cp), r)
		}
	}
	if err != nil {
		return Proposal{}, err
	}
	p.Code = s.await(p.Code)
	return p, nil
}

// current is the epoch of the samples so far. The samples since it began only
// count in the regions they fall into (the paper's back-propagation).
func (s *Searcher) current() *epoch {
	for _, x := range s.samples[len(s.packed):] {
		s.ones = append(s.ones, ones(x.Code))
		s.packed = append(s.packed, pack(x.Code))
		s.scores = append(s.scores, x.Score)
	}
	n := len(s.samples)
	if n >= s.cfg.Init {
		n = last(s.cfg.Init, n, s.cfg.period)
	}
	e := s.epoch
	if e == nil || e.n != n {
		e = s.begin(n)
		s.epoch = e
	}
	for i := len(e.values); i < len(s.samples); i++ {
		e.values = append(e.values, e.at(s.scores[i]))
		e.route(s.ones[i], func(reg *region) { reg.count(i, e.values[i]) })
	}
	for _, reg := range e.regions {
		reg.pending = 0
	}
	for _, code := range s.pending {
		e.route(ones(code), func(reg *region) { reg.pending++ })
	}
	return e
}

// begin learns from the first n samples.
func (s *Searcher) begin(n int) *epoch {
	e := &epoch{n: n, dim: s.space.Dim(), scale: scale{sd: 1}}
	if s.cfg.Model || s.cfg.Warp {
		m := n
		if n >= s.cfg.Init {
			m = last(s.cfg.Init, n, beliefPeriod)
		}
		if s.learnt != m {
			s.belief, s.learnt = learnBelief(s.packed[:m], s.scores[:m], e.dim, s.cfg), m
		}
		e.belief = s.belief
		e.scale, _ = learnScale(s.scores[:n], e.bend)
	}
	for _, y := range s.scores[:n] {
		e.values = append(e.values, e.at(y))
	}
	e.tree = learn(s.ones[:n], e.values, e.dim, s.cfg)
	return e
}

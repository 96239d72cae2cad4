package main

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/spf13/cobra"

	"oneshot/internal/config"
	"oneshot/internal/fault"
	"oneshot/internal/plan"
	"oneshot/internal/rng"
	"oneshot/internal/rundir"
	"oneshot/internal/ui"
	"oneshot/supernet"
	"oneshot/supernet/space"
)

func (a *app) spaceCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "space [NAME|FILE]",
		Short: "Say what a space of architectures is: choices, size, twins, costs; or list the kinds",
		Long: "space lists the kinds of spaces or, with the name of one or a file NAME.yaml with a space of one's own, says\n" +
			"what may be chosen in it, how many architectures it has and what they cost at the usual size, for images of\n" +
			"32x32 pixels and 10 classes. Of a file it says too what is wrong with it. Twins are architectures whose networks\n" +
			"compute the same: they have one hash, and one of them is searched.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fault.Usage("", "space wants one name or file or none, but got %d", len(args))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.listSpaces()
			}
			return a.space(args[0])
		},
	}
}

type spaceKind struct {
	Kind  string `json:"kind"`
	About string `json:"about"`
}

func (a *app) listSpaces() error {
	var list struct {
		Spaces []spaceKind `json:"spaces"`
	}
	for _, kind := range space.Kinds() {
		list.Spaces = append(list.Spaces, spaceKind{kind, space.About(kind)})
	}
	if a.opt.json {
		return a.ui.JSON(list)
	}
	for _, k := range list.Spaces {
		a.ui.Printf("%-15s %s\n", k.Kind, k.About)
	}
	return nil
}

// spaceReport is what a space is. Counts are texts, as some are no numbers of JSON's readers.
type spaceReport struct {
	Kind    string        `json:"kind"`
	Space   string        `json:"space"`
	About   string        `json:"about"`
	Size    string        `json:"size"`            // without twins
	Texts   string        `json:"texts,omitempty"` // with them, where that is known
	Choices []spaceChoice `json:"choices,omitempty"`
	Codes   int           `json:"codes"` // digits of a 0/1 code, the features of a search

	Layers   int       `json:"layers"`
	Channels int       `json:"channels"`
	Image    int       `json:"image"`
	Classes  int       `json:"classes"`
	Costs    spaceCost `json:"costs"`

	Example rundir.Arch `json:"example"`
	Blocks  string      `json:"blocks,omitempty"` // the definition of a space of one's own
}

// spaceChoice is an entry of an architecture.
type spaceChoice struct {
	Entry      string   `json:"entry"`
	Candidates []string `json:"candidates"`
}

// spaceCost is the range of costs.
type spaceCost struct {
	LeastParams int64 `json:"params_least"`
	MostParams  int64 `json:"params_most"`
	LeastMAdds  int64 `json:"madds_least"`
	MostMAdds   int64 `json:"madds_most"`
	// Drawn is how many random architectures were looked at; 0 where the range is exact.
	Drawn int `json:"drawn"`
}

func (c *spaceCost) add(params, madds int64) {
	if c.MostParams == 0 {
		c.LeastParams, c.LeastMAdds = params, madds
	}
	c.LeastParams, c.MostParams = min(c.LeastParams, params), max(c.MostParams, params)
	c.LeastMAdds, c.MostMAdds = min(c.LeastMAdds, madds), max(c.MostMAdds, madds)
}

func (a *app) space(name string) error {
	c, err := (config.Request{Sets: []string{"net.space=" + name}}).Resolve(nil, "")
	if err != nil {
		return err
	}
	s, err := plan.OpenSpace(c)
	if err != nil {
		return err
	}
	r, err := describeSpace(s)
	if err != nil {
		return fault.WithCode(err, fault.ExitUsage, "")
	}
	if a.opt.json {
		return a.ui.JSON(r)
	}
	a.ui.Printf("space    %s: %s\n", r.Space, r.About)
	if r.Texts != "" && r.Texts != r.Size {
		a.ui.Printf("size     %s architectures, of which %s are different networks: the others are twins of these\n", r.Texts, r.Size)
	} else {
		a.ui.Printf("size     %s architectures, no two of which are the same network\n", r.Size)
	}
	for _, x := range r.Choices {
		a.ui.Printf("choice   %s: %s\n", x.Entry, strings.Join(x.Candidates, ", "))
	}
	a.ui.Printf("network  %d layers, first ones of %d channels, for %dx%d pixels and %d classes\n", r.Layers, r.Channels, r.Image, r.Image, r.Classes)
	exact := ""
	if r.Costs.Drawn > 0 {
		exact = fmt.Sprintf(", of %d drawn ones", r.Costs.Drawn)
	}
	a.ui.Printf("costs    %s to %s parameters, %s to %s multiply-adds%s\n", ui.Count(r.Costs.LeastParams), ui.Count(r.Costs.MostParams),
		ui.Count(r.Costs.LeastMAdds), ui.Count(r.Costs.MostMAdds), exact)
	a.ui.Printf("example  %s (%s): %s parameters, %s multiply-adds\n", r.Example.Text, r.Example.Hash, ui.Count(r.Example.Params), ui.Count(r.Example.MAdds))
	return nil
}

// describeSpace says what a space is at its usual size.
func describeSpace(s space.Space) (spaceReport, error) {
	n := supernet.NetConfig{Space: s, Size: supernet.DefaultNet().Size}
	n.Geometry = s.Geometry()
	kind := s.Named().Space
	r := spaceReport{Kind: kind, Space: s.Name(), About: space.About(kind), Size: s.Size().String(), Codes: s.Dim(),
		Layers: n.Layers, Channels: n.Channels, Image: n.Image, Classes: n.Classes, Blocks: s.Named().Blocks}
	costs, err := n.Costs()
	if err != nil {
		return r, err
	}
	if r.Example, err = plan.DescribeArch(s, s.Sample(rng.New(1, "space")), costs); err != nil {
		return r, err
	}
	if free, ok := s.(space.Independent); ok {
		r.Texts, r.Choices = combinations(free), choicesOf(s, free.Candidates())
		err = r.Costs.extremes(free.Candidates(), costs)
	} else {
		err = r.Costs.sample(s, costs)
	}
	return r, err
}

func combinations(s space.Independent) string {
	all := big.NewInt(1)
	for _, n := range s.Candidates() {
		all.Mul(all, big.NewInt(int64(n)))
	}
	return all.String()
}

// choicesOf are the candidates of each entry in words; without them where a code does not
// have a digit for each.
func choicesOf(s space.Space, candidates []int) (choices []spaceChoice) {
	at := 0
	for i, n := range candidates {
		c := spaceChoice{Entry: fmt.Sprint(i + 1), Candidates: []string{}}
		for k := range n {
			word := s.Feature(at + k)
			if entry, candidate, ok := strings.Cut(word, ": "); ok {
				c.Entry, word = entry, candidate
			}
			c.Candidates = append(c.Candidates, word)
		}
		at += n
		choices = append(choices, c)
	}
	if at != s.Dim() {
		return nil
	}
	return choices
}

// extremes takes of every choice the candidates that cost least and most: a network costs the sum of what its choices do.
func (c *spaceCost) extremes(candidates []int, cost func(space.Arch) (params, madds int64, err error)) error {
	both := func(a space.Arch) ([2]int64, error) {
		params, madds, err := cost(a)
		return [2]int64{params, madds}, err
	}
	for _, first := range []int{0, 1} { // by parameters, and by multiply-adds
		largest, smallest, err := space.Extremes(candidates, func(a space.Arch) ([2]int64, error) {
			v, err := both(a)
			return [2]int64{v[first], v[1-first]}, err
		})
		if err != nil {
			return err
		}
		for _, a := range []space.Arch{largest, smallest} {
			v, err := both(a)
			if err != nil {
				return err
			}
			c.add(v[0], v[1])
		}
	}
	return nil
}

// sample looks at drawn architectures.
func (c *spaceCost) sample(s space.Space, cost func(space.Arch) (params, madds int64, err error)) error {
	r := rng.New(1, "space")
	for c.Drawn = range 1000 {
		params, madds, err := cost(s.Sample(r))
		if err != nil {
			return err
		}
		c.add(params, madds)
	}
	c.Drawn++
	return nil
}

package cell

import (
	"slices"
	"strings"

	"oneshot/supernet/space"
)

// Published is a published pair of cells.
type Published struct {
	Name   string // what ParseAny knows it by
	Source string // paper and code
	Text   string // its text form, which says the rules it was published with
	// Channels of its network for CIFAR-10, which has PublishedLayers cells. In the form
	// for ImageNet all have the size of ImageNetLayers and the following.
	Channels int
}

// PublishedLayers and PublishedChannels are what networks for CIFAR-10 have, in whose form
// images have 32 pixels and the stem multiplier is 3 (arXiv 1806.09055, section 3.2).
const PublishedLayers, PublishedChannels = 20, 36

// ImageNetLayers, ImageNetChannels, ImageNetImage and ImageNetClasses are what networks in
// the form for ImageNet have (arXiv 1806.09055, section 3.3).
const (
	ImageNetLayers, ImageNetChannels = 14, 48
	ImageNetImage, ImageNetClasses   = 224, 1000
)

// published are the cells of the papers' own code, and of DARTS's for those of NASNet and
// AmoebaNet. Parameters and multiply-adds of their networks are checked in published_test.go.
var published = []Published{
	{Name: "darts-v1", Source: "DARTS, first order: arXiv 1806.09055, github.com/quark0/darts", Channels: 36, Text: "darts4-rawpool" +
		":0.sep_conv_3x3+1.sep_conv_3x3,0.skip_connect+1.sep_conv_3x3,0.skip_connect+1.sep_conv_3x3,0.sep_conv_3x3+2.skip_connect" +
		":0.max_pool_3x3+1.max_pool_3x3,0.max_pool_3x3+2.skip_connect,0.max_pool_3x3+2.skip_connect,0.avg_pool_3x3+2.skip_connect"},
	{Name: "darts-v2", Source: "DARTS, second order: arXiv 1806.09055, github.com/quark0/darts", Channels: 36, Text: "darts4-rawpool" +
		":0.sep_conv_3x3+1.sep_conv_3x3,0.sep_conv_3x3+1.sep_conv_3x3,0.skip_connect+1.sep_conv_3x3,0.skip_connect+2.dil_conv_3x3" +
		":0.max_pool_3x3+1.max_pool_3x3,1.max_pool_3x3+2.skip_connect,0.max_pool_3x3+2.skip_connect,1.max_pool_3x3+2.skip_connect"},
	{Name: "pc-darts", Source: "PC-DARTS, found on CIFAR-10: arXiv 1907.05737, github.com/yuhuixu1993/PC-DARTS", Channels: 36, Text: "darts4-rawpool" +
		":0.skip_connect+1.sep_conv_3x3,0.sep_conv_3x3+1.dil_conv_3x3,0.sep_conv_5x5+1.sep_conv_3x3,0.avg_pool_3x3+1.dil_conv_3x3" +
		":0.max_pool_3x3+1.sep_conv_5x5,1.sep_conv_5x5+2.sep_conv_5x5,0.sep_conv_3x3+3.sep_conv_3x3,1.sep_conv_3x3+2.sep_conv_3x3"},
	{Name: "pc-darts-image", Source: "PC-DARTS, found on ImageNet: arXiv 1907.05737, github.com/yuhuixu1993/PC-DARTS", Channels: 36, Text: "darts4-rawpool" +
		":0.sep_conv_3x3+1.skip_connect,0.sep_conv_3x3+1.skip_connect,1.sep_conv_3x3+3.sep_conv_3x3,1.sep_conv_3x3+4.dil_conv_5x5" +
		":0.sep_conv_3x3+1.skip_connect,1.max_pool_3x3+2.dil_conv_5x5,1.sep_conv_3x3+2.sep_conv_3x3,0.sep_conv_5x5+3.sep_conv_3x3"},
	{Name: "p-darts", Source: "P-DARTS, found on CIFAR-10: arXiv 1904.12760, github.com/chenxin061/pdarts", Channels: 36, Text: "darts4-rawpool" +
		":0.skip_connect+1.dil_conv_3x3,0.skip_connect+1.sep_conv_3x3,1.sep_conv_3x3+3.sep_conv_3x3,0.sep_conv_3x3+4.dil_conv_5x5" +
		":0.avg_pool_3x3+1.sep_conv_5x5,0.sep_conv_3x3+2.dil_conv_5x5,0.max_pool_3x3+1.dil_conv_3x3,1.dil_conv_3x3+3.dil_conv_5x5"},
	{Name: "nasnet-a", Source: "NASNet-A: arXiv 1707.07012, as github.com/quark0/darts has it", Channels: 33, Text: "nasnet5-rawpool" +
		":0.sep_conv_3x3+1.sep_conv_5x5,0.sep_conv_3x3+0.sep_conv_5x5,0.skip_connect+1.avg_pool_3x3,0.avg_pool_3x3+0.avg_pool_3x3,1.skip_connect+1.sep_conv_3x3" +
		":0.sep_conv_7x7+1.sep_conv_5x5,0.sep_conv_7x7+1.max_pool_3x3,0.sep_conv_5x5+1.avg_pool_3x3,2.avg_pool_3x3+3.skip_connect,1.max_pool_3x3+2.sep_conv_3x3/4.5.6"},
	{Name: "amoebanet-a", Source: "AmoebaNet-A: arXiv 1802.01548, as github.com/quark0/darts has it", Channels: 36, Text: "nasnet5-rawpool" +
		":0.avg_pool_3x3+1.max_pool_3x3,0.sep_conv_3x3+2.sep_conv_5x5,0.sep_conv_3x3+3.avg_pool_3x3,1.skip_connect+1.sep_conv_3x3,0.skip_connect+1.avg_pool_3x3/4.5.6" +
		":0.avg_pool_3x3+1.sep_conv_3x3,0.max_pool_3x3+2.sep_conv_7x7,0.sep_conv_7x7+1.avg_pool_3x3,0.max_pool_3x3+1.max_pool_3x3,0.conv_7x1_1x7+5.sep_conv_3x3/3.4.6"},
	{Name: "lanet", Source: "LaNet: arXiv 1906.06832, github.com/facebookresearch/LaMCTS", Channels: 36, Text: "lanas7-rawpool-ws" + laNetCell + laNetCell},
}

const laNetCell = ":0.skip_connect+1.skip_connect,1.skip_connect+1.sep_conv_3x3,1.skip_connect+2.max_pool_3x3,0.skip_connect+1.sep_conv_3x3," +
	"3.skip_connect+4.sep_conv_5x5,0.max_pool_3x3+3.skip_connect,1.sep_conv_3x3+3.skip_connect/5.6.7.8"

func init() {
	names := PublishedNames()
	space.RegisterForm(space.Form{Name: "a published name (" + strings.Join(names, ", ") + ")", Words: names,
		Is: func(text string) bool { return slices.Contains(names, text) },
		Parse: func(text string) (space.Space, space.Arch, error) {
			s, a := published[slices.Index(names, text)].open()
			return s, a, nil
		}})
}

// PublishedNames are the names of all published cells.
func PublishedNames() []string {
	names := make([]string, len(published))
	for i, p := range published {
		names[i] = p.Name
	}
	return names
}

// FindPublished is the published pair of cells that a is. The rules of s do not matter.
func FindPublished(s Space, a space.Arch) (Published, bool) {
	for _, p := range published {
		if q, b := p.open(); q.Set == s.Set && q.Nodes == s.Nodes && slices.Equal(a, b) {
			return p, true
		}
	}
	return Published{}, false
}

// open is its space and architecture.
func (p Published) open() (Space, space.Arch) {
	s, a, err := space.ParseAny(p.Text)
	if err != nil {
		panic(err) // constants
	}
	return s.(Space), a
}

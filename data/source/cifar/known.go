package cifar

import "strings"

// Known is what is known of an official set apart from its files.
type Known struct {
	Format      string // as source.Info.Format: "cifar10"
	Title       string // "CIFAR-10"
	Classes     []string
	Train, Test int // official number of images
	// Mean and Std are the usual constants for R, G, B in [0,1], over all 50,000 official
	// training images: CIFAR-10's as in DARTS (Liu et al. 2019), CIFAR-100's to the
	// customary four digits.
	Mean, Std [3]float32
	// SHA256 says what the images are, by the hash of all files of the binary version, the
	// training files first, which package data keeps as Dataset.SHA256. The official pixels
	// are missing: their checksums as single files are not on record.
	SHA256 map[string]string
	// LabelSHA256 is the hash of the official class labels, or empty if not on record.
	LabelSHA256 string
}

// KnownSets returns what is known, CIFAR-10 first. The caller owns the result.
func KnownSets() []Known {
	return []Known{
		{
			Format: "cifar10", Title: "CIFAR-10",
			Classes: strings.Fields("airplane automobile bird cat deer dog frog horse ship truck"),
			Train:   50000, Test: 10000,
			Mean: [3]float32{0.49139968, 0.48215827, 0.44653124},
			Std:  [3]float32{0.24703233, 0.24348505, 0.26158768},
			// The official images re-encoded as JPEG, quality 75, 4:2:0, and unpacked to the
			// binary layout: figures measured on them are not CIFAR-10's.
			SHA256: map[string]string{
				"08fb299e0e5391067909a4538e22e78002acad367066e87e777127d4237d9d00": "CIFAR-10 (JPEG q75)",
			},
			LabelSHA256: "3edb456524d5918aefded81f5aef7c32efab2a788211df998a4eb0c8957baa1f",
		},
		{
			Format: "cifar100", Title: "CIFAR-100",
			Classes: strings.Fields(fine100),
			Train:   50000, Test: 10000,
			Mean: [3]float32{0.5071, 0.4867, 0.4408},
			Std:  [3]float32{0.2675, 0.2565, 0.2761},
		},
	}
}

// fine100 lists the fine classes of CIFAR-100 by label, which is alphabetical order.
const fine100 = `apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle
bowl boy bridge bus butterfly camel can castle caterpillar cattle
chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur
dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard
lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain
mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree
plain plate poppy porcupine possum rabbit raccoon ray road rocket
rose sea seal shark shrew skunk skyscraper snail snake spider
squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor
train trout tulip turtle wardrobe whale willow_tree wolf woman worm`

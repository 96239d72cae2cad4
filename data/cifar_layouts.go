package data

import "strings"

// layouts holds the sets that are read from files. Mean and standard deviation
// are the usual constants, over all 50,000 official training images: CIFAR-10's
// as in DARTS (Liu et al. 2019), CIFAR-100's to the customary four digits.
var layouts = map[string]layout{
	"cifar10": {
		title:      "CIFAR-10",
		folder:     "cifar-10-batches-bin",
		archive:    "cifar-10-binary.tar.gz",
		archiveMD5: "c32a1d4ab5d03f1284b67883e8d87530",
		prefix:     "cifar-10-",
		train:      []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"},
		test:       []string{"test_batch.bin"},
		perTrain:   10000, perTest: 10000,
		labels: []string{"label"}, limits: []int{10},
		classes: strings.Fields("airplane automobile bird cat deer dog frog horse ship truck"),
		mean:    [3]float32{0.49139968, 0.48215827, 0.44653124},
		std:     [3]float32{0.24703233, 0.24348505, 0.26158768},
		known: map[string]string{
			cifar10JPEG: "CIFAR-10 (JPEG q75)",
		},
		knownLabels: cifar10Labels,
	},
	"cifar100": {
		title:    "CIFAR-100",
		folder:   "cifar-100-binary",
		archive:  "cifar-100-binary.tar.gz",
		prefix:   "cifar-100-",
		train:    []string{"train.bin"},
		test:     []string{"test.bin"},
		perTrain: 50000, perTest: 10000,
		labels: []string{"coarse label", "fine label"}, limits: []int{20, 100},
		classes: strings.Fields(cifar100Fine),
		mean:    [3]float32{0.5071, 0.4867, 0.4408},
		std:     [3]float32{0.2675, 0.2565, 0.2761},
	},
}

const (
	// The official images re-encoded as JPEG, quality 75, 4:2:0, and unpacked to
	// the binary layout: figures measured on them are not CIFAR-10's.
	cifar10JPEG = "08fb299e0e5391067909a4538e22e78002acad367066e87e777127d4237d9d00"
	// The labels of data_batch_1..5 and test_batch, one byte each.
	cifar10Labels = "3edb456524d5918aefded81f5aef7c32efab2a788211df998a4eb0c8957baa1f"
)

// cifar100Fine lists the fine classes by label, which is alphabetical order.
const cifar100Fine = `apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle
bowl boy bridge bus butterfly camel can castle caterpillar cattle
chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur
dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard
lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain
mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree
plain plate poppy porcupine possum rabbit raccoon ray road rocket
rose sea seal shark shrew skunk skyscraper snail snake spider
squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor
train trout tulip turtle wardrobe whale willow_tree wolf woman worm`

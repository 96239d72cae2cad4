package space

// Independent is a Space in which every choice can be made without looking at the others.
type Independent interface {
	Space
	// Candidates is how many candidates each entry of an Arch has: all lists of numbers below
	// them are paths of the supernet, also those that Sample never draws because another one
	// is equal as a function.
	Candidates() []int
}

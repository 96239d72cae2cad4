// Package plan says what a run computes, before anything is computed: a configuration
// with the space and the images that it names, the networks and trainings that follow
// from it, what an architecture costs, which width keeps to a ceiling, and how much memory
// a stage needs.
//
// Contract: a [Plan] changes nothing on disk. [Plan.Check] and [Plan.SearchSpace] find
// what would stop a stage later. Errors carry the exit code of the process.
package plan

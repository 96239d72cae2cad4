// Package config is the configuration of a run: what may be set, what it is when
// nobody sets it, and where what was set came from.
//
// [Config] has a section for each part of a run. A [Request] is what a command line
// says; [Request.Resolve] lays it over a preset, a YAML file or the configuration
// that a run folder has stored, and checks the whole. [Drift] tells two
// configurations apart. A preset is a file of the folder recipes; a [Recipe] has its
// values and where each of them is from.
//
// Contract: a configuration that Resolve returns is complete and in range; whether it
// fits the images is for those to say who have them. An unknown key is an error that
// names the file, the line and the nearest key. Nothing is written here.
package config

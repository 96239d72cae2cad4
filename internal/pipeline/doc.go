// Package pipeline is what a run does: it trains a supernet, searches it, retrains the
// winner, exports it and tests it once.
//
// A [plan.Plan] says what is computed: a configuration with the space and the images that it
// names. A [Run] is a plan in a run folder that this process holds, with a device. Its
// methods are the stages; [Stages] declares what each reads and leaves. A stage goes on
// from what it finds in the folder, and one that is complete only reads its files again.
// [Look] previews a request without a folder, with a [Forecast] of each training.
//
// Each stage records what it was computed from. What is there now is compared with that
// ([Chain]); a stage whose inputs have changed is never gone on with, but done anew where
// the request allows it.
//
// A retraining may start from an exported network or from the supernet, learn from an
// exported one, and be repeated with several seeds, each in a folder of its own
// ([Run.Seeds]). The best architectures of a search can be retrained beside the one that it has
// found, to see what their scores foretell ([Run.Top]).
//
// Contract: [Open] finds everything that can be wrong with a request before anything is
// computed, and a request that is refused leaves the folder as it was. What a stage
// leaves are the bytes of a stage that was never stopped. A context that ends with the
// cause fault.ErrStopped ends a stage after it has saved. Clock, environment and
// signals are the caller's ([Process]).
package pipeline

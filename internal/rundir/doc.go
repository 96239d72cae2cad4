// Package rundir is the folder of a run: what lies in it, in which form, and who may
// write there.
//
//	config.yaml     resolved configuration, re-runnable
//	manifest.json   versions, machine, seed, checksum of the data
//	LOCK            flock; names the process that holds it
//	log.jsonl       what was said, with times
//	metrics.jsonl   one object per step, no times: equal after a resume
//	supernet/       checkpoints of the supernet
//	search/         samples.jsonl, rechecks.jsonl, baseline-*.jsonl, each with a file .sums of
//	                checksums; times.jsonl, best.json, tree.json, report.html
//	retrain/        arch.json, checkpoints of the final network; init.json where it did not
//	                start from random weights; seeds.json, seeds.sums and report.html
//	                of several seeds; top.json of several architectures
//	retrain-seeds/  a folder for each further seed, with retrain, export and metrics.jsonl
//	retrain-top/    a folder for each further architecture, by its hash, with the same and its retrain-seeds
//	export/         model.safetensors, arch.json
//	test/           examples.json: what the test saw beside the counts of the result, see Seen
//	result.json     the summary, written last; seeds that are trained later are added to it
//	*/record.json, result.record.json
//	                what each stage was computed from, see Record
//	replaced/       what a stage is done anew instead of, until the new is complete
//	stop.request    there from when somebody asks the run to stop until it obeys, see StopFile
//	cache/          lists of the records of large collections of images, see run.cache
//
// Contract: a [Folder] reads and writes these files; only a process that holds the
// folder ([Open]) may write. A file is whole or absent, and one that only grows
// ([JSONL]) may have a torn last line, which is dropped. What another program or
// version left there is refused with the name of the file, never guessed.
package rundir

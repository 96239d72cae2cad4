package main

import (
	"bytes"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"oneshot/data/audit"
	"oneshot/data/prepare"
	"oneshot/internal/fault"
	"oneshot/internal/measure"
	"oneshot/internal/pipeline"
	"oneshot/internal/rundir"
	"oneshot/weights"
)

// numbers are why no field of a JSON text is ever NaN or infinite, which JSON cannot write: by
// the type that has it, what bounds it. A field that is not here fails TestEveryNumberIsJSON.
var numbers = map[string]string{
	"rundir.Sample.Score":                "a fraction of images; 0 of a score that failed (internal/search)",
	"rundir.Sample.Loss":                 "a score whose loss is no number fails, with rundir.NoLoss",
	"rundir.Recheck.Score":               "as rundir.Sample",
	"rundir.Recheck.Loss":                "as rundir.Sample",
	"rundir.Time.Seconds":                "time.Duration.Seconds",
	"rundir.Metric.Loss":                 "a step without a finite loss ends the training, a score without one has none",
	"rundir.Metric.LR":                   "of settings in ranges",
	"rundir.Metric.GradNorm":             "a step without a finite one ends the training",
	"rundir.Metric.Top1":                 "a fraction of images",
	"rundir.Metric.Best":                 "a score",
	"rundir.Region.Threshold":            "a prediction of a regression of scores in 0..1 with a ridge",
	"rundir.Region.Mean":                 "null where it is not finite (report.Regions)",
	"rundir.Region.Best":                 "likewise",
	"rundir.Region.UCB":                  "likewise",
	"rundir.Region.Share":                "a fraction of draws",
	"rundir.Term.Weight":                 "as Region.Threshold",
	"rundir.SearchSummary.Score":         "a score",
	"rundir.SearchSummary.RecheckScore":  "a score",
	"rundir.SearchSummary.RandomScore":   "a mean of one score or more",
	"rundir.SearchSummary.HighestScore":  "a score",
	"rundir.SearchSummary.LastThirdMean": "a mean of one score or more",
	"rundir.TopEntry.Score":              "a score",
	"rundir.TopEntry.RecheckScore":       "a score",
	"rundir.ParetoEntry.Score":           "a score",
	"rundir.Baseline.BestScore":          "a score",
	"rundir.Baseline.LastThirdMean":      "a mean of one score or more",
	"rundir.ResultSearch.BestScore":      "a score",
	"rundir.ResultSearch.RandomScore":    "a mean of one score or more",
	"rundir.ResultSearch.RecheckScore":   "a score",
	"rundir.Result.TestTop1":             "a fraction of at least one image",
	"rundir.Result.TestTop5":             "likewise",
	"rundir.TrainSummary.Loss":           "a mean of at least one loss of metrics.jsonl",
	"rundir.RetrainSummary.Epochs":       "steps times images over images, of which there are some",
	"rundir.RetrainSummary.SearchTop1":   "a fraction of at least one image",
	"rundir.Record.Loss":                 "as TrainSummary",
	"rundir.SeedRun.Loss":                "as TrainSummary",
	"rundir.Tested.SearchTop1":           "a fraction of at least one image",
	"rundir.Tested.TestTop1":             "likewise",
	"rundir.Tested.TestTop5":             "likewise",
	"rundir.Example.Probability":         "refused where an output is no number (supernet.Classified.Check)",
	"rundir.Spread.Mean":                 "a mean of one fraction or more",
	"rundir.Spread.Deviation":            "null of one value",
	"rundir.TopArch.Score":               "a score",
	"rundir.Kendall.Tau":                 "null where it is none (KendallOf)",
	"rundir.Kendall.P":                   "a share of at least one order",
	"rank.Stats.Tau":                     "null where it is none (rank.Tau)",
	"rank.Stats.TauCI":                   "of figures that are there",
	"rank.Stats.Spearman":                "null where it is none",
	"rank.Stats.SpearmanCI":              "of figures that are there",
	"rank.Stats.TopHalfTau":              "as Tau",
	"rank.Stats.TopHalfCI":               "as TauCI",
	"rank.Stats.Partial":                 "null where it is none (rank.Partial)",
	"rank.Stats.PartialCI":               "as TauCI",
	"rank.Stats.TauMAdds":                "as Tau",
	"rank.Stats.TauParams":               "as Tau",
	"rank.Stats.TopHalfMAdds":            "as Tau",
	"rank.Stats.TopHalfParams":           "as Tau",
	"rank.Stats.SpearmanMAdds":           "as Spearman",
	"rank.Stats.Ceiling":                 "a mean of one tau or more",
	"rank.Stats.TopHalfCeiling":          "likewise",
	"rundir.RankPoint.Score":             "a score",
	"rundir.RankPoint.Truth":             "in 0..1 by truths.Read, or a fraction of images",
	"rundir.RankScore.Score":             "as rundir.Sample",
	"rundir.RankScore.Loss":              "as rundir.Sample",
	"rundir.Sample.Top1":                 "a fraction of at least one image",
	"rundir.Recheck.Top1":                "likewise",
	"rundir.RankScore.Top1":              "as rundir.Sample",
	"rundir.RankTruth.Top1":              "refused where an output is no number (supernet.Classified.Check)",
	"pipeline.Forecast.Epochs":           "as RetrainSummary",
	"pipeline.Forecast.Seconds":          "0 where it was not measured",
	"pipeline.Forecast.Alone":            "likewise",
	"pipeline.Origin.Score":              "a score",
	"pipeline.Guess.Probability":         "refused where an output is no number (likeliest)",
	"pipeline.About.Mean":                "of bytes, or checked where it is read (data.Preprocess.Check)",
	"pipeline.About.Std":                 "at least a grey level, or checked likewise",
	"data.Config.CropPct":                "a setting in its range",
	"supernet.Sampling.RankWeight":       "a setting in its range",
	"supernet.Sampling.RankRamp":         "likewise",
	"supernet.Sampling.RankMargin":       "likewise",
	"audit.Stats.Mean":                   "of bytes",
	"audit.Stats.Std":                    "at least a grey level",
	"device.GPU.LoadMS":                  "a time",
	"device.GPU.SelfTestMS":              "a time",
	"main.evalReport.Top1":               "a fraction of at least one image",
	"main.evalReport.Top5":               "likewise",
	"main.evalReport.Loss":               "refused where it is no number (supernet.Classified.Check, Scorer.Score)",
	"main.retrainReport.Loss":            "as TrainSummary",
	"measure.ScoreReport.MSPerScore":     "a time",
	"measure.ScoreReport.MSPerScoreBest": "a time",
}

// TestEveryNumberIsJSON walks the types that are written as JSON, but for settings, whose ranges
// package config holds, and for what `bench` divides by times.
func TestEveryNumberIsJSON(t *testing.T) {
	seen := map[string]bool{}
	for _, v := range []any{
		rundir.Sample{}, rundir.Recheck{}, rundir.Time{}, rundir.Metric{}, rundir.Tree{}, rundir.SearchSummary{}, rundir.Result{},
		rundir.Seeds{}, rundir.Start{}, rundir.Manifest{}, rundir.Record{}, rundir.Seen{}, rundir.RankScore{}, rundir.RankTruth{}, rankReport{}, pipeline.About{}, pipeline.Inspection{}, evalReport{}, retrainReport{},
		doctorReport{}, exportReport{}, tensorReport{}, archReport{}, statusReport{}, pipeline.Prediction{}, audit.Stats{}, audit.Report{}, prepare.Report{}, measure.ScoreReport{},
	} {
		walkNumbers(t, reflect.TypeOf(v), "", seen)
	}
	for name := range numbers {
		if !seen[name] {
			t.Errorf("%s is no number of a JSON text any more", name)
		}
	}
	if len(seen) < 40 {
		t.Errorf("only %d numbers found", len(seen))
	}
	// The walk finds numbers wherever they are.
	type inner struct{ A []map[string]*float64 }
	type outer struct {
		inner
		B [2]float32
		C float64 `json:"-"`
	}
	found := map[string]bool{}
	walk(reflect.TypeFor[outer](), "", map[reflect.Type]bool{}, func(name string) { found[name] = true })
	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, []string{"main.inner.A", "main.outer.B"}) {
		t.Errorf("found %q", got)
	}
}

func walkNumbers(t *testing.T, typ reflect.Type, field string, seen map[string]bool) {
	t.Helper()
	walk(typ, field, map[reflect.Type]bool{}, func(name string) {
		seen[name] = true
		if numbers[name] == "" {
			t.Errorf("nothing says why %s is never NaN or infinite: JSON has neither", name)
		}
	})
}

// walk calls f with the name of every field of a type, or of what it is made of, that holds
// floats and is written as JSON.
func walk(typ reflect.Type, field string, been map[reflect.Type]bool, f func(name string)) {
	switch typ.Kind() {
	case reflect.Float32, reflect.Float64:
		f(field)
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		walk(typ.Elem(), field, been, f)
	case reflect.Struct:
		if been[typ] {
			return
		}
		been[typ] = true
		for i := range typ.NumField() {
			if x := typ.Field(i); x.Tag.Get("json") != "-" && (x.IsExported() || x.Anonymous) {
				walk(x.Type, typ.String()+"."+x.Name, been, f)
			}
		}
	}
}

// TestInspectRefusesNoNumbers names the tensor of a file that holds what is none.
func TestInspectRefusesNoNumbers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.safetensors")
	for _, c := range []struct {
		name string
		v    float64
		code int
	}{{"a.running_var", 1, 0}, {"a.running_var", -1, fault.ExitInvalid}, {"a.weight", math.Inf(1), fault.ExitInvalid}, {"a.weight", math.NaN(), fault.ExitInvalid}} {
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := weights.WriteSafetensors(f, []weights.Tensor{{Name: c.name, Shape: []int{2}, F32: []float32{1, float32(c.v)}}}, nil); err != nil {
			t.Fatal(err)
		}
		f.Close()
		var out, said bytes.Buffer
		if code := run([]string{"inspect", path}, &out, &said); code != c.code || code != 0 && !strings.Contains(said.String(), `"`+c.name+`" holds `) {
			t.Errorf("%s of %g: exit code %d, want %d: %s", c.name, c.v, code, c.code, &said)
		}
	}
}

package main

import (
	"path/filepath"
	"testing"

	"github.com/spf13/cobra"
)

// TestRetrainFlags: each short spelling sets its key.
func TestRetrainFlags(t *testing.T) {
	o := &options{}
	cmd := &cobra.Command{Run: func(*cobra.Command, []string) {}}
	o.bindSGD(cmd, "retrain")
	o.bindRetrain(cmd)
	cmd.SetArgs([]string{"--drop-path", "0.2", "--model-ema-decay", "0.9999", "--seeds", "3", "--init", "inherited",
		"--teacher", "t.safetensors", "--distill-ratio", "0.7", "--distill-temperature", "4", "--mixup", "0.2", "--cutmix", "1", "--sched", "linear", "--warmup-epochs", "3"})
	if err := cmd.Execute(); err != nil {
		t.Fatal(err)
	}
	c, err := o.resolve("tiny")
	if err != nil {
		t.Fatal(err)
	}
	r := c.Retrain
	if r.DropPath != 0.2 || r.EMA != 0.9999 || r.Seeds != 3 || r.Init != "inherited" || r.DistillRatio != 0.7 || r.DistillTemperature != 4 ||
		r.Mixup != 0.2 || r.CutMix != 1 || r.Schedule != "linear" || r.WarmupEpochs != 3 {
		t.Errorf("%+v", r)
	}
	if abs, _ := filepath.Abs("t.safetensors"); r.Teacher != abs {
		t.Errorf("the teacher is %q", r.Teacher)
	}
}

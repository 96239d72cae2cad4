package data_test

import (
	"context"
	"fmt"

	"oneshot/data"
)

func Example() {
	d, err := data.Open(data.Config{Name: "shapes10", Seed: 42, TrainSize: 1000, SearchSize: 200, TestSize: 100})
	if err != nil {
		fmt.Println(err)
		return
	}
	l, err := d.Train.Loader(data.LoaderConfig{Batch: 64, Seed: 42, Augment: data.Augment{Crop: 4, Flip: true}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	for range 3 {
		b, err := l.Next(context.Background())
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("train on", b.N, "images of", len(b.X)/b.N, "values")
		l.Recycle(b)
	}
	for b := range d.Search.Batches(150) {
		fmt.Println("score on", b.N)
	}
	// Output:
	// train on 64 images of 3072 values
	// train on 64 images of 3072 values
	// train on 64 images of 3072 values
	// score on 150
	// score on 50
}

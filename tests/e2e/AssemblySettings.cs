using Xunit;

// Every class builds a site of its own; two at a time would measure each other.
[assembly: CollectionBehavior(DisableTestParallelization = true)]

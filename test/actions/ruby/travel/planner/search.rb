# Dijkstra's algorithm over a table of fares.
require 'csv'
require 'set'

module Planner
  def self.search(file, start, goal)
    ways = Hash.new { |known, town| known[town] = {} }
    CSV.foreach(file, headers: true) do |row|
      ways[row['from']][row['to']] = ways[row['to']][row['from']] = row['cents'].to_i
    end
    open, done = { start => [0, [start]] }, Set.new
    until open.empty?
      town, (cents, via) = open.min_by { |_, (price, _)| price }
      return [via, cents] if town == goal
      open.delete(town)
      done << town
      ways[town].each do |to, fare|
        better = open.fetch(to, [Float::INFINITY]).first > cents + fare
        open[to] = [cents + fare, via + [to]] if better && !done.include?(to)
      end
    end
  end
end

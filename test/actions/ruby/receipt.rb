# Writes a receipt by a template, with dates, decimals and YAML.
require 'bigdecimal'
require 'date'
require 'erb'
require 'yaml'

TEMPLATE = ERB.new("<% items.each do |item| %><%= item['text'] %>: <%= euros(item['price']) %>\n<% end %>Due <%= due.strftime('%d.%m.%Y') %>\n")

def euros(text) = format('%.2f €', BigDecimal(text).round(2))

def main(args)
  items = args['items']
  due = Date.parse(args['date']) >> 1
  sum = items.sum { |item| BigDecimal(item['price']) }
  { text: TEMPLATE.result(binding), sum: sum.to_s('F'), due: due.iso8601, yaml: YAML.dump('due' => due.to_s) }
end
